/**
 * Writes results of the benchmarks as text: as lines for the terminal, and as the Markdown table of
 * docs/guide/performance.md. All functions are pure.
 */

export function number(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function interval({ median, low, high }) {
  return `${number(median)} (${number(low)}–${number(high)})`;
}

export function perValue(ns) {
  if (ns === null) return '';
  return ns < 1000 ? `${number(ns)} ns` : `${number(ns / 1000)} µs`;
}

const perSecond = (rate) => `${Math.round(rate).toLocaleString('en-GB')}/s`;

/** A floor is held, or missed, only if the whole interval is on one side of it. */
export function floorVerdict({ ratio, floor }) {
  if (ratio === null || floor === null) return '';
  return ratio.low >= floor ? 'held' : ratio.high < floor ? 'below' : 'open';
}

const timesFaster = ({ ratio, oursNs }) => (ratio === null ? perSecond(1e9 / oursNs) : `${interval(ratio)} ×`);

const promise = ({ floor, target }) =>
  floor !== null ? `${floor} ×` : target === null ? '' : `${perSecond(target)}, not judged`;

/** A result as text for the terminal. */
export function line(result) {
  const { work, against, oursNs, rivalNs, floor, aim } = result;
  const times = [timesFaster(result), `ours ${perValue(oursNs)}`];
  if (rivalNs !== null) times.push(`theirs ${perValue(rivalNs)}`);
  if (floor !== null) times.push(`floor ${promise(result)}${aim ? `, aim ${aim}` : ''} ${floorVerdict(result)}`);
  else if (promise(result) !== '') times.push(`target ${promise(result)}`);
  return `${work}${against === null ? '' : `, against ${against}`}\n    ${times.join('   ')}`;
}

const row = (cells) => `| ${cells.join(' | ')} |`;

/** The distinct texts, in the order of their first occurrence, without `null`. */
const distinct = (texts) => [...new Set(texts.filter((text) => text !== null))];

const list = (texts) => (texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`);

/**
 * The rows of all runs, by group: `{ title, rows: [{ work, found }] }`, with one result or `undefined` per run in
 * `found`.
 */
function grouped(runs, groups) {
  const rows = new Map();
  runs.forEach(({ results }, at) => {
    for (const result of results) {
      const key = `${result.file} ${result.work}`;
      if (!rows.has(key)) rows.set(key, { file: result.file, work: result.work, found: runs.map(() => undefined) });
      rows.get(key).found[at] = result;
    }
  });
  return groups
    .map(({ title, files }) => ({
      title,
      // By file and then as measured.
      rows: files.flatMap((file) => [...rows.values()].filter((one) => one.file === file)),
    }))
    .filter((group) => group.rows.length > 0);
}

/**
 * The table of the guide, from one run or from the runs of several versions of Node side by side.
 *
 * @param runs contents of results/*.json: `{ date, node, processor, confidence, rounds, results }`
 * @param groups `{ title, files }`, in the order of the table
 */
export function pageTable(runs, groups) {
  const majors = runs.map(({ node }) => `Node ${node.replace(/^v(\d+)\..*$/, '$1')}`);
  const head = ['work', 'against', ...majors.flatMap((major) => [`${major}: a value`, 'times faster']), 'floor in CI'];
  const out = [row(head), row(head.map((_, i) => (i < 2 ? '---' : '--:')))];
  for (const { title, rows } of grouped(runs, groups)) {
    out.push(row([`**${title}**`, ...head.slice(1).map(() => '')]));
    for (const { work, found } of rows) {
      const there = found.filter((one) => one !== undefined);
      out.push(
        row([
          work,
          distinct(there.map(({ against }) => against)).join('; ') || '–',
          ...found.flatMap((one) => (one === undefined ? ['–', '–'] : [perValue(one.oursNs), timesFaster(one)])),
          distinct(there.map(({ floor }) => (floor === null ? null : `${floor} ×`))).join('; '),
        ]),
      );
    }
  }
  const { confidence, rounds } = runs[0];
  const note =
    `${list(distinct(runs.map(({ processor }) => processor)))}, one core, ` +
    `Node ${list(distinct(runs.map(({ node }) => node.replace(/^v/, ''))))}, ` +
    `${list(distinct(runs.map(({ date }) => date)))}. Both sides alternate in one process. "Times faster" is the median ` +
    `of ${rounds} rounds, with its ${confidence * 100} % interval in parentheses; without a rival it is the number of ` +
    'values per second.';
  return `${out.join('\n')}\n\n${wrap(note, 120)}`;
}

/** Lines of at most `width` characters. */
function wrap(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`;
    if (longer.length > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.join('\n');
}

export const BEGIN = '<!-- bench:begin -->';
export const END = '<!-- bench:end -->';

/** A page with `text` between its two markers. Throws unless the page has each marker once, in this order. */
export function between(page, text) {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin || page.indexOf(BEGIN, begin + 1) >= 0 || page.indexOf(END, end + 1) >= 0) {
    throw new Error(`the page must have ${BEGIN} and then ${END}, once each`);
  }
  return `${page.slice(0, begin)}${BEGIN}\n\n${text}\n\n${page.slice(end)}`;
}
