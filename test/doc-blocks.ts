/**
 * The code in prose: the ```ts blocks of the Markdown pages and of the doc comments, each with its place.
 *
 * A block is a module: it imports what it uses and may await. `expr; // → literal` is a promise that the expression
 * equals the literal. The comment may also be alone on the next line. A block whose first line is `// not run:
 * <reason>` is compiled and not run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The project's folder, with a slash at its end. */
export const root: string = fileURLToPath(new URL('../', import.meta.url));

/** A block with its place. */
export interface Block {
  /** The path, relative to the project's folder. */
  readonly file: string;
  /** The number of the first line of code, from 1. */
  readonly line: number;
  readonly code: string;
  readonly run: boolean;
}

/** The files below a folder. Paths are relative to the project's folder. */
export function filesBelow(folder: string, extension: string): string[] {
  return readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(extension))
    .map((path) => `${folder}/${path}`)
    .sort();
}

/** The pages that users read. */
export const pages: readonly string[] = ['README.md', ...filesBelow('docs', '.md')];

/** The blocks of a page or of a source file's doc comments. */
export function blocksOf(file: string): Block[] {
  const inComments = file.endsWith('.ts');
  const lines = readFileSync(root + file, 'utf8').split('\n');
  const fence = inComments ? /^\s*\* ```(.*)$/ : /^\s*```(.*)$/;
  const blocks: Block[] = [];
  for (let i = 0; i < lines.length; i++) {
    const info = fence.exec(lines[i]!)?.[1];
    if (info === undefined) continue;
    const start = i + 1;
    for (i++; i < lines.length && fence.exec(lines[i]!)?.[1] !== ''; i++);
    if (i === lines.length) throw new Error(`${file}:${start}: the block has no end`);
    if (info !== 'ts') continue;
    const body = lines.slice(start, i).map((line) => (inComments ? line.replace(/^\s*\* ?/, '') : line));
    blocks.push({ file, line: start + 1, code: body.join('\n'), run: !/^\/\/ not run: \S/.test(body[0] ?? '') });
  }
  return blocks;
}

/** A promise in a block: its line in the file, and the expression's and the literal's text. */
export interface Promised {
  readonly line: number;
  readonly text: string;
}

/** A block as the body of a function. It imports by `__import` and calls `__check` for each promise. */
export interface Runnable {
  readonly body: string;
  readonly promises: readonly Promised[];
}

const ARROW = /^\/\/ → (.*)$/;

/** Turns a block into the body of a function. Throws if there is an arrow that belongs to no expression. */
export function runnable(block: Block): Runnable {
  const { code } = block;
  const source = ts.createSourceFile('block.ts', code, ts.ScriptTarget.ES2022, true);
  const edits: { readonly from: number; readonly to: number; readonly text: string }[] = [];
  const promises: Promised[] = [];
  const lineOf = (position: number) => block.line + source.getLineAndCharacterOfPosition(position).line;

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      edits.push({ from: node.getStart(), to: node.end, text: importOf(node) });
      return;
    }
    const exported = ts.canHaveModifiers(node)
      ? ts.getModifiers(node)?.find((m) => m.kind === ts.SyntaxKind.ExportKeyword)
      : undefined;
    if (exported !== undefined) edits.push({ from: exported.getStart(), to: exported.end, text: '' });
    if (ts.isExpressionStatement(node)) {
      const literal = literalAfter(code, node.end);
      if (literal !== null) {
        const index = promises.push({ line: lineOf(node.getStart()), text: literal }) - 1;
        edits.push({ from: node.getStart(), to: node.getStart(), text: `__check(${index}, ` });
        edits.push({ from: node.expression.end, to: node.end, text: `, (${literal}));` });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);

  const arrows = code.split('\n').flatMap((line, i) => (line.includes('// →') ? [block.line + i] : []));
  if (arrows.length !== promises.length) {
    throw new Error(
      `${block.file}:${arrows.join(', ')}: ${arrows.length} arrows, ${promises.length} follow an expression`,
    );
  }
  let text = code;
  for (const { from, to, text: inner } of edits.sort((a, b) => b.from - a.from || b.to - a.to)) {
    text = text.slice(0, from) + inner + text.slice(to);
  }
  const { outputText } = ts.transpileModule(`export default (async () => {\n${text}\n});`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  });
  return { body: outputText.replace('export default', 'return'), promises };
}

/** The literal after the arrow on the last line of the statement, or after an arrow alone on the next line. */
function literalAfter(code: string, end: number): string | null {
  const [rest = '', next = ''] = code.slice(end).split('\n');
  return (ARROW.exec(rest.trim()) ?? (rest.trim() === '' ? ARROW.exec(next.trim()) : null))?.[1] ?? null;
}

function importOf(node: ts.ImportDeclaration): string {
  const from = `await __import(${node.moduleSpecifier.getText()});`;
  const clause = node.importClause;
  if (clause === undefined) return from;
  if (clause.isTypeOnly) return '';
  const bindings = clause.namedBindings;
  if (bindings !== undefined && ts.isNamespaceImport(bindings)) return `const ${bindings.name.text} = ${from}`;
  const names = clause.name === undefined ? [] : [`default: ${clause.name.text}`];
  for (const { isTypeOnly, name, propertyName } of bindings?.elements ?? []) {
    if (!isTypeOnly) names.push(propertyName === undefined ? name.text : `${propertyName.text}: ${name.text}`);
  }
  return `const { ${names.join(', ')} } = ${from}`;
}

/**
 * Compiles blocks as modules in the folder of the tests. Returns the messages of the compiler, with places in the
 * files.
 */
export function compile(blocks: readonly Block[]): string[] {
  const config = ts.readConfigFile(`${root}tsconfig.test.json`, ts.sys.readFile).config as object;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const virtual = new Map(blocks.map((block, i) => [`${root}test/doc-block-${i}.ts`, block]));
  const settings: ts.CompilerOptions = {
    ...options,
    noUnusedLocals: false,
    noUnusedParameters: false,
    moduleDetection: ts.ModuleDetectionKind.Force,
  };
  const host = ts.createCompilerHost(settings);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => virtual.has(file) || fileExists(file);
  host.readFile = (file) => virtual.get(file)?.code ?? readFile(file);
  host.getSourceFile = (file, language, ...rest) => {
    const block = virtual.get(file);
    return block === undefined
      ? getSourceFile(file, language, ...rest)
      : ts.createSourceFile(file, block.code, language, true);
  };
  const program = ts.createProgram([...virtual.keys()], settings, host);
  return [...virtual].flatMap(([file, block]) => {
    const source = program.getSourceFile(file)!;
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((found) => {
      const line = block.line + source.getLineAndCharacterOfPosition(found.start ?? 0).line;
      return `${block.file}:${line}: ${ts.flattenDiagnosticMessageText(found.messageText, ' ')}`;
    });
  });
}

/** An export of a public module. */
export interface PublicName {
  readonly module: string;
  readonly name: string;
  /** The place of its declaration. */
  readonly place: string;
  readonly example: boolean;
  /** Whether it has a doc comment. */
  readonly documented: boolean;
  /** Whether it exists at run time. Interfaces and types do not. */
  readonly isValue: boolean;
}

/** All exports of the public modules, including types. */
export function publicNames(): PublicName[] {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config as object;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const modules = readdirSync(`${root}src`).filter((name) => name.endsWith('.ts'));
  const program = ts.createProgram(
    modules.map((name) => `${root}src/${name}`),
    options,
  );
  const checker = program.getTypeChecker();
  return modules.flatMap((module) => {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(`${root}src/${module}`)!);
    return checker.getExportsOfModule(symbol!).flatMap((exported) => {
      const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const isValue = (target.flags & ts.SymbolFlags.Value) !== 0;
      const declaration = (isValue ? target.valueDeclaration : target.declarations?.[0])!;
      const source = declaration.getSourceFile();
      const line = source.getLineAndCharacterOfPosition(declaration.getStart()).line + 1;
      return {
        module,
        name: exported.name,
        place: `${source.fileName.slice(root.length)}:${line}`,
        example: target.getJsDocTags(checker).some((tag) => tag.name === 'example'),
        documented: target.getDocumentationComment(checker).length + target.getJsDocTags(checker).length > 0,
        isValue,
      };
    });
  });
}
