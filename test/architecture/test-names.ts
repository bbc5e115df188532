import ts from 'typescript';

/**
 * What a test file calls its tests: the text that `test` and `describe` are given, and of a table (`test.each`) the texts
 * that its name shows. Nothing else in a file is a name, and a test that is skipped has none.
 */
export function testNames(text: string): string[] {
  const file = ts.createSourceFile('file.test.ts', text, ts.ScriptTarget.Latest, true);
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) names.push(...namesOf(node, file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

function namesOf({ expression: callee, arguments: [first] }: ts.CallExpression, file: ts.SourceFile): string[] {
  if (first === undefined || !(ts.isStringLiteralLike(first) || ts.isTemplateExpression(first))) return [];
  const name = first.getText(file);
  if (isNamer(callee)) return [name];
  if (!ts.isCallExpression(callee) || !ts.isPropertyAccessExpression(callee.expression)) return [];
  if (!isNamer(callee.expression.expression) || callee.expression.name.text !== 'each') return [];
  const [table] = callee.arguments;
  const shown = name.match(/%[sjpdifoO]/g)?.length ?? 0;
  return table === undefined ? [name] : [name, ...rowsOf(table, file).flatMap((row) => textsOf(row).slice(0, shown))];
}

function isNamer(node: ts.Node): boolean {
  return ts.isIdentifier(node) && (node.text === 'test' || node.text === 'describe');
}

function rowsOf(table: ts.Expression, file: ts.SourceFile): readonly ts.Expression[] {
  const bare = withoutType(table);
  if (ts.isArrayLiteralExpression(bare)) return bare.elements;
  if (!ts.isIdentifier(bare)) return [];
  const initializer = declared(file, bare.text);
  return initializer === undefined ? [] : rowsOf(initializer, file);
}

/** A row's cells in order, those that are no text as nothing. */
function textsOf(row: ts.Expression): string[] {
  const bare = withoutType(row);
  const cells = ts.isArrayLiteralExpression(bare) ? bare.elements : [bare];
  return cells.map((cell) => (ts.isStringLiteralLike(cell) ? cell.text : ''));
}

function withoutType(node: ts.Expression): ts.Expression {
  return ts.isAsExpression(node) || ts.isParenthesizedExpression(node) ? withoutType(node.expression) : node;
}

/** What a constant is, wherever in the file it stands. */
function declared(node: ts.Node, name: string): ts.Expression | undefined {
  if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.name.text === name) {
    return node.initializer;
  }
  return ts.forEachChild(node, (child) => declared(child, name));
}
