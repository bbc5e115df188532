import { expect, test } from '@jest/globals';
import { STYLE } from './style.js';

/** The least contrast of text, and of what shows where a field or a focus is (WCAG 2.2, 1.4.3 and 1.4.11). */
const TEXT = 4.5;
const EDGE = 3;

type Colours = Readonly<Record<string, string>>;

const [light, dark] = [...STYLE.matchAll(/:root\{([^}]*)\}/g)].map(([, text = '']) => coloursIn(text));

function coloursIn(text: string): Colours {
  return Object.fromEntries([...text.matchAll(/--([\w-]+):(#[0-9a-f]{3,6})/g)].map(([, name, hex]) => [name, hex]));
}

/** Relative luminance (WCAG 2.2). */
function luminanceOf(hex: string): number {
  const pairs = hex
    .replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3')
    .slice(1)
    .match(/../g);
  const [red = 0, green = 0, blue = 0] = (pairs ?? []).map((pair) => {
    const value = Number.parseInt(pair, 16) / 255;
    return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrastOf(colours: Colours, one: string, other: string): number {
  const [first = Number.NaN, second = Number.NaN] = [colours[one], colours[other]].map((hex) => luminanceOf(hex ?? ''));
  return (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05);
}

/** Every colour that something is written in, with the ground that it stands on where no rule gives it its own. */
function writtenIn(): Array<readonly [string, string]> {
  return [...STYLE.matchAll(/\{([^{}]*)\}/g)].flatMap(([, rule = '']) => {
    const ink = /(?:^|;)\s*color:var\(--([\w-]+)\)/.exec(rule)?.[1];
    const ground = /background:var\(--([\w-]+)\)/.exec(rule)?.[1];
    if (ink !== undefined) return [[ink, ground ?? 'paper'] as const];
    return ground === undefined ? [] : [['ink', ground] as const];
  });
}

test('black on white is 21, and the same colour twice is 1', () => {
  expect(contrastOf({ a: '#000', b: '#ffffff' }, 'a', 'b')).toBeCloseTo(21);
  expect(contrastOf({ a: '#727d8f' }, 'a', 'a')).toBe(1);
});

test('both schemes have the same colours, and no other stands anywhere', () => {
  expect(Object.keys(dark ?? {})).toEqual(Object.keys(light ?? {}));
  expect(Object.keys(light ?? {})).toContain('ink');
  expect(STYLE.replaceAll(/:root\{[^}]*\}/g, '')).not.toMatch(/#[0-9a-f]{3}|rgb|hsl/i);
});

test.each([
  ['light', light],
  ['dark', dark],
])('everything that is written has a contrast of 4.5 at least: %s', (_, colours = {}) => {
  const pairs = writtenIn();
  expect(pairs).toEqual(
    expect.arrayContaining([
      ['accent', 'paper'],
      ['on-accent', 'accent'],
      ['quiet', 'paper'],
    ]),
  );
  const poor = pairs.filter(([ink, ground]) => !(contrastOf(colours, ink, ground) >= TEXT));
  expect(poor).toEqual([]);
});

test.each([
  ['light', light],
  ['dark', dark],
])('the edges of fields and the mark of the focus have a contrast of 3 at least: %s', (_, colours = {}) => {
  const edges = [...STYLE.matchAll(/(?:border(?:-\w+)?|outline):[^;}]*var\(--([\w-]+)\)/g)].map(
    ([, name = '']) => name,
  );
  expect(edges).toEqual(expect.arrayContaining(['line', 'accent', 'danger']));
  expect(edges.filter((edge) => !(contrastOf(colours, edge, 'paper') >= EDGE))).toEqual([]);
});
