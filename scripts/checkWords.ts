import { globSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/**
 * Usage: node scripts/checkWords.ts [file or folder…]; default: the documents and the tests.
 * Finds words that this project does not use: in the text of Markdown files, and in the comments and texts of source files. Prints
 * one line per word; exits 1 if there is one.
 */
const DEFAULT_PATHS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'docs', 'examples', 'test'];

interface Rule {
  readonly words: RegExp;
  readonly instead: string;
}

/** Words of the text that people read. Only those that have no second meaning in this field. */
const PROSE: readonly Rule[] = [
  { words: /\banew\b/i, instead: 'again' },
  { words: /\bbesides?\b/i, instead: 'next to, with, in addition to' },
  { words: /\ball the same\b/i, instead: 'anyway, or leave it out' },
  { words: /\bin (?:its|their|his|our|my)? ?place of\b/i, instead: 'instead of' },
  { words: /\bst(?:ands?|ood|anding) in\b/i, instead: 'replaces, is in' },
  { words: /\b(?:goe?s?|going|gone|went) on\b/i, instead: 'continues' },
  { words: /\bsaid to\b/i, instead: 'who says it' },
  { words: /\balone\b/i, instead: 'only' },
  { words: /(?<!there )\b(?:is|are|was|were) none\b/i, instead: 'is not' },
  { words: /\b(?:so|that) many\b/i, instead: 'the number' },
  { words: /\bof (?:its|their|his|her|one's|our) own\b/i, instead: 'its own' },
  { words: /\bwho(?:so)?ever\b/i, instead: 'anyone who' },
  { words: /\b(?:aught|naught|kin|mends?|mended)\b/i, instead: "the field's word" },
  { words: /\btold\b/i, instead: 'gets, is called with' },
  { words: /\bupstream\b/i, instead: 'Graph' },
  { words: /\bstrays?\b/i, instead: 'unmatched' },
  { words: /\bnudg(?:e[sd]?|ing)\b/i, instead: 'wake up' },
  { words: /\bceilings?\b/i, instead: 'limit' },
  { words: /\bt(?:akes?|ook|aken|aking) up\b/i, instead: 'load, continue' },
];

/** Old names. In code only a whole identifier counts. */
const NAMES: Rule = {
  words:
    /\b(?:Collaborators|RequestRecord|readHead|askedFile|Admission|decidedBy|receiveRange|showUpload|cancelUpload|takeUpUpload|uploadForm|startJob|carryJob|takeUpJob|HandedOn|BrokenOff|isJobGood|HeldAccount|RecordedTransfer|mayHold|addWhole|sendWhole|onWhole|claimKey|onceByKey|mailboxQueue|UpstreamFailure|graphItem|repairHook|readAway|requestLost|placeOf|describeCause|untilAborted|lookTwice|upstreamStatuses)\b/,
  instead: 'the new name (CHANGELOG.md)',
};

interface Exception {
  readonly file: RegExp;
  readonly text: string; // Of the line.
  readonly reason: string;
}

const EXCEPTIONS: readonly Exception[] = [
  { file: /\/checkWords(?:\.test)?\.ts$/, text: '', reason: 'lists the words' },
  { file: /^CHANGELOG\.md$/, text: '`', reason: 'gives the old names' },
  { file: /^docs\/\w*[fF]aults\.md$/, text: '', reason: 'are removed: a build writes them' },
  { file: /^test\//, text: 'must not be set beside POLICY_FILE', reason: 'a message of shared/config/' },
  { file: /^test\//, text: 'is refused beside a policy', reason: 'a message of shared/access/' },
];

type Line = { readonly line: number; readonly text: string };

/** The words in a file that this project does not use, as `line: word (write …)`. */
export function findWords(file: string, content: string): string[] {
  const lines = file.endsWith('.md') ? linesOfMarkdown(content) : linesOfSource(file, content);
  const found = lines.flatMap(({ line, text }) => PROSE.flatMap((rule) => findIn(file, line, text, rule)));
  const names = content.split('\n').flatMap((text, index) => findIn(file, index + 1, text, NAMES));
  return [...found, ...names];
}

function findIn(file: string, line: number, text: string, { words, instead }: Rule): string[] {
  const word = words.exec(text)?.[0];
  const isException = EXCEPTIONS.some((exception) => exception.file.test(file) && text.includes(exception.text));
  return word === undefined || isException ? [] : [`${file}:${line}: '${word}': write ${instead}`];
}

/** Without blocks of code: their commands and outputs are tested, and their source is checked itself. */
function linesOfMarkdown(content: string): Line[] {
  let isCode = false;
  return content.split('\n').flatMap((text, index) => {
    if (text.startsWith('```')) isCode = !isCode;
    return isCode ? [] : [{ line: index + 1, text: text.replace(/`[^`]*`/g, '`code`') }];
  });
}

/** Comments, and texts of more than one word. */
function linesOfSource(file: string, content: string): Line[] {
  const source = ts.createSourceFile(file, content, ts.ScriptTarget.Latest);
  const lines: Line[] = [];
  const add = (position: number, block: string) => {
    const first = source.getLineAndCharacterOfPosition(position).line + 1;
    lines.push(...block.split('\n').map((text, index) => ({ line: first + index, text })));
  };
  const visit = (node: ts.Node) => {
    const children = node.getChildren(source);
    const start = node.getStart(source);
    if (children.length === 0) add(node.pos, content.slice(node.pos, start));
    if (isText(node) && /\S\s+\S/.test(node.text)) add(start, node.getText(source));
    children.forEach(visit);
  };
  visit(source);
  return lines;
}

function isText(node: ts.Node): node is ts.StringLiteralLike | ts.TemplateHead | ts.TemplateMiddle | ts.TemplateTail {
  return ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
}

function filesIn(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  const files = globSync('**/*.{ts,mjs,cjs,md}', { cwd: path, exclude: (name) => name === 'node_modules' });
  return files.sort().map((file) => `${path}/${file}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const paths = process.argv.length > 2 ? process.argv.slice(2) : DEFAULT_PATHS;
  const found = paths.flatMap(filesIn).flatMap((file) => findWords(file, readFileSync(file, 'utf8')));
  for (const line of found) console.error(line);
  process.exitCode = found.length > 0 ? 1 : 0;
}
