/**
 * `npm run bench`: measures the platform on this machine, beside the bare SDK and the floor, and prints what it finds.
 * `npm run bench -- quick` measures the contests alone, `npm run bench -- call` calls of tools alone, `npm run bench -- peers`
 * programs from npm beside them, `npm run bench -- fairness` what a noisy tenant does to a calm one, and what refusing costs. The programs it starts beside itself are this file too, so
 * that each runs in a process of its own: `program <name>`.
 */
const [first, ...rest] = process.argv.slice(2);

if (first === 'program') await runProgram(rest);
else await (await import('./bench.js')).bench(first);

async function runProgram([name, upstreamPort]: readonly string[]): Promise<void> {
  const port = Number(upstreamPort);
  // Whoever started it may have failed: one that watched on before everything else would spoil every later measurement.
  process.once('disconnect', () => process.exit());
  switch (name) {
    case 'load':
      return (await import('./load/generator.js')).generateLoad();
    case 'upstream':
      return (await import('./servers/upstream.js')).serveUpstream();
    case 'raw':
      return (await import('./servers/raw-http.js')).serveRaw(port);
    case 'bare':
      return (await import('./servers/bare-sdk.js')).serveBare(port);
    case 'watch':
      return (await import('./measure/stalls.js')).watchStalls();
    case 'stdio':
      return (await import('./servers/stdio.js')).serveEchoOnStdio(port);
    default:
      throw new Error(`The bench has no program ${String(name)}.`);
  }
}
