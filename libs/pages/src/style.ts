/** The pages' only style sheet: inline, allowed by its hash; at least 4.5:1 contrast in both colour schemes. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#14181f;--quiet:#4a5362;--paper:#fff;--ground:#f3f5f8;--line:#727d8f;
--accent:#0b4fb3;--on-accent:#fff;--danger:#a3140b;--good:#0a5c2b;--warn:#7a4a00}
@media (prefers-color-scheme:dark){:root{--ink:#f2f4f8;--quiet:#bcc5d3;--paper:#171b22;--ground:#0d1015;--line:#8b96a8;
--accent:#8ab8ff;--on-accent:#0b1320;--danger:#ffb0a8;--good:#8fe0ac;--warn:#f5c97a}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:30rem;margin:2rem auto;padding:1.5rem;background:var(--paper);border:1px solid var(--line);
border-radius:.5rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}
h2{font-size:1.1rem;margin:1.5rem 0 .25rem}
ol{margin:.25rem 0;padding-left:1.5rem}
code{overflow-wrap:anywhere}
pre{margin:.5rem 0;padding:.6rem;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--ground);
border:1px solid var(--line);border-radius:.25rem}
a{color:var(--accent)}
dt{color:var(--quiet);margin-top:.75rem}
dd{margin:0;font-weight:600;overflow-wrap:anywhere}
label{display:block;font-weight:600;margin:1rem 0 .4rem}
input[type=email],input[type=password],input[type=text],input[readonly]{width:100%;font:inherit;padding:.6rem;border:1px solid var(--line);
border-radius:.25rem;background:var(--paper);color:var(--ink)}
.actions{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.5rem}
button{font:inherit;font-weight:600;min-height:2.75rem;padding:.5rem 1.25rem;border-radius:.25rem;
border:2px solid var(--accent);background:var(--paper);color:var(--accent);cursor:pointer}
button.main{background:var(--accent);color:var(--on-accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.problem{border:2px solid var(--danger);border-radius:.25rem;padding:.75rem 1rem;margin:0 0 1rem;color:var(--danger)}
.note{color:var(--quiet)}
.done{border:2px solid var(--good);border-radius:.25rem;padding:.75rem 1rem;margin:0 0 1rem;color:var(--good)}
.warning{border-left:.3rem solid var(--warn);padding:.25rem 0 .25rem .75rem;margin:1rem 0;color:var(--warn)}
.passkey-problem{flex-basis:100%;margin:0;color:var(--danger)}
section{border-top:1px solid var(--line);margin-top:1.5rem;padding-top:.25rem}
section section{border-top:0;margin-top:0}
h3{font-size:1rem;margin:1rem 0 0}
.drawing svg{display:block;width:100%;max-width:15rem;height:auto;border-radius:.25rem}
.codes{columns:2;padding:0;list-style:none;font-size:1.1rem;line-height:2}
a.button{display:inline-block;font-weight:600;padding:.6rem 1.25rem;border-radius:.25rem;text-decoration:none;
background:var(--accent);color:var(--on-accent)}
section section+form{border-top:1px solid var(--line);margin-top:1.5rem}
main>:last-child,main>:last-child>:last-child{margin-bottom:0}
[hidden]{display:none}
`;
