'use strict';
// The explorer's page. Everything that comes from the crawl is put on the page as text, never as markup.

const $ = (id) => document.getElementById(id);
const CHUNK = 60;            // faces asked for at once
const CHUNKS_KEPT = 60;      // of them in memory
const TALLEST = 8_000_000;   // pixels; browsers draw nothing beyond some 16 to 33 million
const GAP = 8;

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'class') made.className = value;
    else if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};
const svg = (name, attributes = {}, ...children) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const ask = async (path, parameters = {}) => {
  const address = path + '?' + new URLSearchParams(parameters);
  const response = await fetch(address);
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error || response.statusText), {column: answer.column});
  return answer;
};
const count = (number) => number.toLocaleString('en');
const cropOf = (face) => `/api/crop?shard=${face.shard}&face=${face.face}`;
const idOf = (face) => `${face.shard}:${face.face}`;
let toastTimer = 0;
const say = (text) => {
  $('toast').textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $('toast').textContent = ''; }, 3000);
};

// ---- What is asked ------------------------------------------------------------------------------------------------

const state = {info: null, q: '', sort: '', total: 0, chips: new Map(), generation: 0};
const picked = new Set();
let compareWith = null;

// Chips are terms that are joined to the typed expression by "and".
const chipTerms = () => [...state.chips].map(([term, how]) => (how === 'with' ? term : `!${term}`));
const typed = () => $('query').value.trim();
const wholeQuery = () => {
  const parts = [typed(), ...chipTerms()].filter(Boolean);
  return parts.length > 1 && typed() ? [`(${typed()})`, ...chipTerms()].join(' & ') : parts.join(' & ');
};

const showFault = (fault) => {
  $('fault').hidden = !fault;
  $('query').setAttribute('aria-invalid', fault ? 'true' : 'false');
  if (!fault) return;
  // The column is of the whole expression; where only the typed part was sent, a caret can point into it.
  const caret = fault.column && !state.chips.size ? `${typed()}\n${' '.repeat(fault.column - 1)}^\n` : '';
  $('fault').textContent = caret + fault.message;
};

const search = async (keepHistory = false) => {
  const generation = ++state.generation;
  const q = wholeQuery(), sort = $('sort').value;
  let first;
  try {
    first = await ask('/api/faces', {q, sort, offset: 0, limit: CHUNK});
  } catch (fault) {
    if (generation === state.generation) showFault(fault);
    return;
  }
  if (generation !== state.generation) return;
  showFault(null);
  Object.assign(state, {q, sort, total: first.count});
  if (!keepHistory) {
    const parameters = new URLSearchParams();
    if (typed()) parameters.set('q', typed());
    if (sort) parameters.set('sort', sort);
    for (const [term, how] of state.chips) parameters.append(how, term);
    history.pushState(null, '', '#' + parameters);
  }
  $('count').textContent = `${count(first.count)} of ${count(state.info.faces)} faces` +
      (first.unmeasured_shards ? ` (${count(first.unmeasured_shards)} shards do not measure this)` : '');
  grid.start(first.faces);
  fillTables(generation);
};

// Counts beside the filters, for what was found.
const fillTables = async (generation) => {
  const tables = {aus: 'aus', emotions: 'emotions', keywords: 'keywords'};
  for (const [id, table] of Object.entries(tables)) {
    let rows;
    try {
      rows = await ask('/api/table', {q: state.q, table});
    } catch {
      continue;  // a table that takes too long is left out; the faces are there
    }
    if (generation !== state.generation) return;
    if (id === 'keywords') {
      const chosen = [...state.chips.keys()].filter((term) => term.startsWith('keyword:')).map((term) => JSON.parse(term.slice(8)));
      const names = new Set([...chosen, ...rows.slice(0, 24).map((row) => row.name)]);
      fillChips('keywords', [...names].map((name) => ({term: `keyword:${JSON.stringify(name)}`, label: name})));
    }
    const counts = new Map(rows.map((row) => [row.name, row.faces]));
    for (const chip of $(id).children) {
      const number = counts.get(chip.dataset.name) ?? 0;
      chip.lastChild.textContent = count(number);
      chip.hidden = id === 'emotions' && number === 0 && !state.chips.has(chip.dataset.term);
    }
  }
};

const fillChips = (id, chips) => {
  const focused = document.activeElement?.dataset?.term;
  $(id).replaceChildren(...chips.map(({term, label, title}) => {
    const chip = element('button', {type: 'button', 'data-term': term, 'data-name': label, title, onclick: () => turnChip(term)},
                         label, element('span'));
    markChip(chip);
    return chip;
  }));
  if (focused) [...$(id).children].find((chip) => chip.dataset.term === focused)?.focus();
};
const markChip = (chip) => {
  const how = state.chips.get(chip.dataset.term);
  chip.dataset.state = how ?? '';
  chip.setAttribute('aria-pressed', how === 'with' ? 'true' : how === 'without' ? 'mixed' : 'false');
  chip.setAttribute('aria-label', chip.dataset.name + (how === 'without' ? ', without it' : ''));
};
const markChips = () => document.querySelectorAll('.chips button').forEach(markChip);
const turnChip = (term) => {
  const how = state.chips.get(term);
  if (!how) state.chips.set(term, 'with');
  else if (how === 'with') state.chips.set(term, 'without');
  else state.chips.delete(term);
  markChips();
  search();
};

const readAddress = () => {
  const parameters = new URLSearchParams(location.hash.slice(1));
  $('query').value = parameters.get('q') ?? '';
  $('sort').value = parameters.get('sort') ?? '';
  if ($('sort').selectedIndex < 0) $('sort').value = '';
  state.chips = new Map(['with', 'without'].flatMap((how) => parameters.getAll(how).map((term) => [term, how])));
  markChips();
};

// ---- The grid: only the rows on screen are in the page, only chunks around them in memory ---------------------------

const grid = {
  chunks: new Map(), top: 0, lastScroll: 0, active: 0, columns: 1, rowHeight: 1,

  start(faces) {
    this.chunks.clear();
    this.chunks.set(0, Promise.resolve(faces));
    this.top = this.lastScroll = 0;
    this.active = 0;
    this.measure();
    $('grid').scrollTop = 0;
    this.draw();
  },

  measure() {
    const width = $('grid').clientWidth - 6;
    this.columns = Math.max(2, Math.floor((width + GAP) / (150 + GAP)));
    this.rowHeight = Math.round((width - GAP * (this.columns - 1)) / this.columns) + 42 + GAP;
    this.height = Math.max(0, this.rows() * this.rowHeight - GAP);
    this.shownHeight = Math.min(this.height, TALLEST);
    $('sizer').style.height = `${this.shownHeight}px`;
    $('grid').setAttribute('aria-rowcount', this.rows());
    $('grid').setAttribute('aria-colcount', this.columns);
  },
  rows() { return Math.ceil(state.total / this.columns); },

  // Where the screen's upper edge is among all rows. A result taller than any element can be is scrolled pixel by pixel
  // while one moves a little, and in proportion when one jumps.
  follow() {
    const box = $('grid'), now = box.scrollTop, room = this.shownHeight - box.clientHeight;
    const whole = this.height - box.clientHeight;
    const moved = now - this.lastScroll;
    if (this.height === this.shownHeight) this.top = now;
    else if (now <= 0) this.top = 0;
    else if (now >= room - 1) this.top = whole;
    else if (Math.abs(moved) < 2 * box.clientHeight) this.top = Math.min(whole, Math.max(0, this.top + moved));
    else this.top = now / room * whole;
    this.lastScroll = now;
    this.draw();
  },

  chunk(number) {
    if (!this.chunks.has(number)) {
      const generation = state.generation;
      const promise = ask('/api/faces', {q: state.q, sort: state.sort, offset: number * CHUNK, limit: CHUNK})
        .then((answer) => answer.faces)
        .catch((fault) => { if (generation === state.generation) { this.chunks.delete(number); say(fault.message); } return []; });
      this.chunks.set(number, promise);
      while (this.chunks.size > CHUNKS_KEPT) this.chunks.delete(this.chunks.keys().next().value);
    }
    return this.chunks.get(number);
  },
  async face(index) { return (await this.chunk(Math.floor(index / CHUNK)))[index % CHUNK]; },

  draw() {
    const box = $('grid');
    const first = Math.max(0, Math.floor(this.top / this.rowHeight) - 1);
    const last = Math.min(this.rows() - 1, Math.floor((this.top + box.clientHeight) / this.rowHeight) + 1);
    const wanted = new Map();
    for (let row = first; row <= last; ++row) wanted.set(row, true);
    const hadFocus = $('rows').contains(document.activeElement);
    const key = `${state.generation}/${this.columns}`;
    for (const row of [...$('rows').children]) {
      if (row.dataset.key === key && wanted.has(+row.dataset.row)) wanted.delete(+row.dataset.row);
      else row.remove();
    }
    for (const row of wanted.keys()) $('rows').append(this.makeRow(row, key));
    for (const row of $('rows').children) {
      row.style.top = `${row.dataset.row * this.rowHeight - this.top + box.scrollTop}px`;
      row.style.height = `${this.rowHeight - GAP}px`;
    }
    if (hadFocus && !$('rows').contains(document.activeElement)) this.tile(this.active)?.focus({preventScroll: true});
  },

  makeRow(row, key) {
    const made = element('div', {class: 'row', role: 'row', 'aria-rowindex': row + 1, 'data-row': row, 'data-key': key});
    for (let column = 0; column < this.columns; ++column) {
      const index = row * this.columns + column;
      if (index >= state.total) {
        made.append(element('span', {class: 'empty'}));
        continue;
      }
      const tile = element('div', {class: 'tile', role: 'gridcell', 'data-index': index, 'aria-colindex': column + 1,
                                   tabindex: index === this.active ? 0 : -1, 'aria-label': `Face ${index + 1}`});
      made.append(tile);
      this.fill(tile, index);
    }
    return made;
  },

  async fill(tile, index) {
    const face = await this.face(index);
    if (!face || !tile.isConnected) return;
    const aus = [...face.aus].sort((a, b) => b[1] - a[1]).map(([au, value]) => `AU${au} ${value.toFixed(1)}`);
    const picture = element('span', {class: 'picture'}, element('img', {src: cropOf(face), alt: '', draggable: 'false'}));
    tile.replaceChildren(picture, element('div', {class: 'words'}, element('b', {}, face.emotion), element('span', {}, aus.join(' · ') || 'no AU present')));
    tile.dataset.id = idOf(face);
    tile.setAttribute('aria-label', `Face ${index + 1} of ${state.total}: ${face.emotion}; ${aus.join(', ') || 'no AU present'}`);
    markPicked(tile);
  },

  tile(index) { return $('rows').querySelector(`[data-index="${index}"]`); },

  // Makes the face the one that Tab reaches, on screen.
  activate(index, focus = true) {
    index = Math.min(state.total - 1, Math.max(0, index));
    if (index < 0) return;
    const before = this.tile(this.active);
    if (before) before.tabIndex = -1;
    this.active = index;
    const box = $('grid'), upper = Math.floor(index / this.columns) * this.rowHeight, lower = upper + this.rowHeight;
    const target = upper < this.top ? upper : lower > this.top + box.clientHeight ? lower - box.clientHeight : this.top;
    if (target !== this.top) this.scrollTo(target);
    const tile = this.tile(index);
    if (!tile) return;
    tile.tabIndex = 0;
    if (focus) tile.focus({preventScroll: true});
  },
  scrollTo(target) {
    const box = $('grid');
    const room = this.shownHeight - box.clientHeight, whole = this.height - box.clientHeight;
    const moved = target - this.top;
    this.top = Math.max(0, Math.min(whole, target));
    box.scrollTop = this.height === this.shownHeight ? this.top
        : Math.abs(moved) < 2 * box.clientHeight ? box.scrollTop + moved : this.top / whole * room;
    this.lastScroll = box.scrollTop;
    this.draw();
  },
};

$('grid').addEventListener('scroll', () => { if ($('grid').scrollTop !== grid.lastScroll) grid.follow(); });
new ResizeObserver(() => {
  if (!state.info) return;
  const face = Math.floor(grid.top / grid.rowHeight) * grid.columns;
  grid.measure();
  $('rows').replaceChildren();
  grid.top = grid.lastScroll = -1;
  grid.scrollTo(Math.floor(face / grid.columns) * grid.rowHeight);
}).observe($('grid'));
$('grid').addEventListener('click', (event) => {
  const tile = event.target.closest('.tile');
  if (!tile) return;
  grid.activate(+tile.dataset.index);
  if (event.ctrlKey || event.metaKey) pick(tile.dataset.id);
  else view.open(+tile.dataset.index);
});
$('grid').addEventListener('keydown', (event) => {
  const pageRows = Math.max(1, Math.floor($('grid').clientHeight / grid.rowHeight));
  const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns,
                 PageUp: -pageRows * grid.columns, PageDown: pageRows * grid.columns};
  const tile = event.target.closest('.tile');
  if (event.key in steps) grid.activate(grid.active + steps[event.key]);
  else if (event.key === 'Home') grid.activate(0);
  else if (event.key === 'End') grid.activate(state.total - 1);
  else if ((event.key === 'Enter' || event.key === ' ') && tile) view.open(+tile.dataset.index);
  else if (event.key === 'p' && tile?.dataset.id) pick(tile.dataset.id);
  else if (event.key === 'c' && tile?.dataset.id) compare(tile.dataset.id);
  else return;
  event.preventDefault();
});

// ---- Picking and downloading ----------------------------------------------------------------------------------------

const markPicked = (tile) => {
  const isPicked = picked.has(tile.dataset.id);
  tile.setAttribute('aria-selected', isPicked);
  tile.querySelector('.mark')?.remove();
  if (isPicked) tile.append(element('span', {class: 'mark', 'aria-hidden': 'true'}, '✓'));
};
const pick = (id) => {
  if (!picked.delete(id)) picked.add(id);
  $('picked-label').textContent = `picked faces (${picked.size})`;
  document.querySelectorAll('.tile[data-id]').forEach(markPicked);
  view.markPicked();
  say(`${count(picked.size)} picked`);
  if (picked.size) document.querySelector('input[name=what][value=picked]').checked = true;
};
$('unpick').addEventListener('click', () => {
  picked.clear();
  $('picked-label').textContent = 'picked faces (0)';
  document.querySelectorAll('.tile[data-id]').forEach(markPicked);
});
document.querySelectorAll('#download-menu [data-format]').forEach((button) => button.addEventListener('click', async () => {
  const format = button.dataset.format;
  const onlyPicked = document.querySelector('input[name=what]:checked').value === 'picked';
  if (onlyPicked && !picked.size) return say('No face is picked: press P on one');
  const link = element('a', {download: `faces.${format}`});
  if (onlyPicked) {
    const response = await fetch('/api/download?' + new URLSearchParams({format}), {method: 'POST', body: [...picked].join(',')});
    if (!response.ok) return say((await response.json()).error);
    link.href = URL.createObjectURL(await response.blob());
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } else {
    link.href = '/api/download?' + new URLSearchParams({format, q: state.q, sort: state.sort});
  }
  link.click();
  $('download-menu').open = false;
}));

// ---- One face, large ------------------------------------------------------------------------------------------------

const portrait = (face, chosenAu, showLandmarks, showRegions, label) => {
  const [width, height] = face.crop;
  const picture = svg('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label});
  picture.append(svg('image', {href: cropOf(face), width, height}));
  const au = face.aus.find((one) => one.number === chosenAu);
  if (showRegions && au) {
    for (const region of au.regions) {
      picture.append(svg('polygon', {points: region.map((p) => p.join(',')).join(' '), fill: 'var(--region)', 'fill-opacity': 0.28,
                                     stroke: 'var(--region)', 'stroke-width': width / 260, class: 'region'}));
    }
  }
  if (showLandmarks) {
    for (const [x, y] of face.landmarks) picture.append(svg('circle', {cx: x, cy: y, r: width / 150, fill: 'var(--point)', class: 'landmark'}));
  }
  return picture;
};
const facts = (face) => {
  const sure = face.emotion_score === null ? '' : `, ${Math.round(100 * face.emotion_score)} %`;
  const rows = [['emotion', `${face.emotion}${sure}`], ['exact rule', face.emotion_rule], ['quality', face.quality.toFixed(2)],
                ['pose', `yaw ${face.pose.yaw}°, pitch ${face.pose.pitch}°, roll ${face.pose.roll}°`],
                ['box', `${face.box[2].toFixed(0)} × ${face.box[3].toFixed(0)} px of ${face.image[0]} × ${face.image[1]}`],
                ['key', face.key], ['caption', face.caption], ['licence', face.licence], ['robots', face.robots], ['source', face.source],
                ['shard', `${face.shard_name}, face ${face.face}`]];
  const nodes = rows.filter(([, value]) => value).flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]);
  if (face.url) {
    // Only an address of the web becomes a link; anything else stays text.
    const isWeb = /^https?:\/\//i.test(face.url);
    nodes.push(element('dt', {}, 'URL'), element('dd', {}, isWeb
        ? element('a', {href: face.url, rel: 'noopener noreferrer nofollow', target: '_blank', referrerpolicy: 'no-referrer'}, face.url) : face.url));
  }
  return nodes;
};

// Both halves as they are seen: the subject's right on the picture's left.
const halves = (au) => {
  if (au.left === undefined) return [];
  const half = (value) => {
    const bar = element('i', {});
    bar.style.width = `${value * 20}%`;
    return bar;
  };
  return [element('div', {class: 'halves', title: `subject's right ${au.right.toFixed(1)}, left ${au.left.toFixed(1)}`}, half(au.right), half(au.left))];
};

const view = {
  index: 0, face: null, chosenAu: null,

  async open(index) {
    const summary = await grid.face(index);
    if (!summary) return;
    let face;
    try {
      face = await ask('/api/face', {shard: summary.shard, face: summary.face});
    } catch (fault) {
      return say(fault.message);
    }
    this.index = index;
    this.face = face;
    $('view-title').textContent = `Face ${count(index + 1)} of ${count(state.total)}`;
    const strongest = [...face.aus].sort((a, b) => b.intensity - a.intensity);
    if (!face.aus.some((au) => au.number === this.chosenAu)) this.chosenAu = strongest[0]?.number;
    $('bars').replaceChildren(...strongest.map((au) => this.bar(au)));
    $('facts').replaceChildren(...facts(face));
    this.draw();
    this.markPicked();
    editor.start(face);
    if (!$('view').open) $('view').showModal();
  },

  bar(au) {
    const fill = element('i', {class: au.present ? 'present' : ''});
    fill.style.width = `${au.intensity * 20}%`;
    const choose = () => { this.chosenAu = au.number; this.draw(); };
    return element('li', {'data-au': au.number, onmouseenter: choose},
      element('button', {type: 'button', onclick: choose, onfocus: choose,
                         'aria-label': `AU${au.number}, ${au.name}: ${au.intensity.toFixed(1)} of 5, probability ${au.probability.toFixed(2)}${au.present ? ', present' : ''}; show its region`},
              `AU${au.number}`),
      element('span', {class: 'name', title: au.name}, au.name), element('div', {}, element('div', {class: 'track'}, fill), ...halves(au)),
      element('span', {class: 'value', title: `probability ${au.probability.toFixed(2)}`}, au.intensity.toFixed(1)));
  },
  draw() {
    $('portrait').replaceChildren(portrait(this.face, this.chosenAu, $('show-landmarks').checked, $('show-regions').checked, `Face ${this.index + 1}`));
    for (const bar of $('bars').children) bar.classList.toggle('chosen', +bar.dataset.au === this.chosenAu);
  },
  markPicked() {
    if (!this.face) return;
    const button = document.querySelector('[data-do=pick]');
    button.setAttribute('aria-pressed', picked.has(idOf(this.face)));
  },
  async step(by) {
    const index = this.index + by;
    if (index < 0 || index >= state.total) return;
    await this.open(index);
    grid.activate(index, false);
  },
};
for (const id of ['show-landmarks', 'show-regions']) $(id).addEventListener('change', () => view.draw());
const actions = {
  previous: () => view.step(-1), next: () => view.step(1), pick: () => pick(idOf(view.face)),
  compare: () => compare(idOf(view.face)),
};
document.querySelectorAll('dialog').forEach((dialog) => {
  dialog.addEventListener('click', (event) => {
    const what = event.target.closest('[data-do]')?.dataset.do;
    if (what === 'close' || event.target === dialog) dialog.close();
    else if (what) actions[what]();
  });
  dialog.addEventListener('close', () => grid.activate(grid.active));
});
$('view').addEventListener('keydown', (event) => {
  if (event.target.matches('input')) return;
  const keys = {ArrowLeft: 'previous', ArrowRight: 'next', p: 'pick', c: 'compare'};
  if (!(event.key in keys)) return;
  event.preventDefault();
  actions[keys[event.key]]();
});

// ---- Two faces ------------------------------------------------------------------------------------------------------

const compare = async (id) => {
  if (!compareWith || compareWith === id) {
    compareWith = compareWith === id ? null : id;
    return say(compareWith ? 'Choose the other face and press Compare again' : 'No longer comparing');
  }
  const faces = await Promise.all([compareWith, id].map((one) => {
    const [shard, face] = one.split(':');
    return ask('/api/face', {shard, face});
  }));
  compareWith = null;
  $('view').close();
  const values = faces.map((face) => new Map(face.aus.map((au) => [au.number, au])));
  const numbers = [...new Set(faces.flatMap((face) => face.aus.map((au) => au.number)))].sort((a, b) => a - b);
  const cell = (au) => {
    const fill = element('i', {class: au?.present ? 'present' : ''});
    fill.style.width = `${(au?.intensity ?? 0) * 20}%`;
    return element('td', {}, element('div', {class: 'track'}, fill));
  };
  const rows = numbers.map((number) => {
    const [a, b] = values.map((of) => of.get(number));
    const difference = (b?.intensity ?? 0) - (a?.intensity ?? 0);
    return element('tr', {}, element('th', {scope: 'row'}, `AU${number}`), element('td', {}, (a ?? b).name),
      element('td', {class: 'n'}, a ? a.intensity.toFixed(1) : '–'), cell(a), element('td', {class: 'n'}, b ? b.intensity.toFixed(1) : '–'), cell(b),
      element('td', {class: 'n'}, (difference > 0 ? '+' : '') + difference.toFixed(1)));
  });
  const head = element('tr', {}, ...['AU', 'name', 'first', '', 'second', '', 'difference'].map((text) => element('th', {scope: 'col'}, text)));
  $('pair-body').replaceChildren(
    ...faces.map((face, i) => element('div', {}, element('figure', {}, portrait(face, null, true, false, i ? 'Second face' : 'First face')),
                                      element('dl', {class: 'facts'}, ...facts(face).slice(0, 8)))),
    element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows)));
  $('pair').showModal();
};

// ---- Editing --------------------------------------------------------------------------------------------------------

const editor = {
  timer: 0, running: false, again: false,

  start(face) {
    const can = state.info.editable;
    $('edit').hidden = !can.length;
    if (!can.length) return;
    this.face = face;
    const shown = new Map(face.aus.map((au) => [au.number, au.intensity]));
    $('sliders').replaceChildren(...can.map((au) => {
      const value = shown.get(au) ?? 0;
      const output = element('output', {}, value.toFixed(1));
      const slider = element('input', {type: 'range', min: 0, max: 5, step: 0.1, value, 'data-au': au, 'data-shown': value, 'aria-label': `AU${au}`});
      slider.addEventListener('input', () => { output.textContent = (+slider.value).toFixed(1); this.later(); });
      return element('label', {title: state.info.aus.find((one) => one.number === au)?.name}, `AU${au}`, slider, output);
    }));
    this.show(null, 'Move an AU to see the face change.');
  },
  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), 200);
  },
  async run() {
    if (this.running) { this.again = true; return; }
    this.running = true;
    const face = this.face;
    const wanted = {};
    for (const slider of $('sliders').querySelectorAll('input')) {
      if (+slider.value !== +slider.dataset.shown) wanted[`AU${slider.dataset.au}`] = +slider.value;
    }
    this.show(undefined, 'Drawing…');
    try {
      const response = await fetch('/api/edit?' + new URLSearchParams({shard: face.shard, face: face.face}), {method: 'POST', body: JSON.stringify(wanted)});
      if (!response.ok) throw new Error((await response.json()).error);
      const picture = await response.blob();
      if (face === this.face) this.show(picture, Object.entries(wanted).map(([au, value]) => `${au} ${value}`).join(', ') || 'As it is');
    } catch (fault) {
      this.show(undefined, fault.message);
    }
    this.running = false;
    if (this.again) { this.again = false; this.run(); }
  },
  // picture: null removes the one that is there, undefined keeps it.
  show(picture, words) {
    const caption = $('edited').querySelector('figcaption');
    caption.textContent = words;
    if (picture === undefined) return;
    const before = $('edited').querySelector('img');
    if (before) { URL.revokeObjectURL(before.src); before.remove(); }
    if (picture) $('edited').prepend(element('img', {src: URL.createObjectURL(picture), alt: `Edited face: ${words}`}));
  },
};
$('reset').addEventListener('click', () => editor.start(view.face));

// ---- Start ----------------------------------------------------------------------------------------------------------

$('search').addEventListener('submit', (event) => { event.preventDefault(); search(); });
$('sort').addEventListener('change', () => search());
$('clear').addEventListener('click', () => { $('query').value = ''; state.chips.clear(); markChips(); search(); });
window.addEventListener('popstate', () => { readAddress(); search(true); });
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && !event.target.matches('input, select, textarea') && !document.querySelector('dialog[open]')) {
    event.preventDefault();
    $('query').focus();
  }
});
if (matchMedia('(max-width: 720px)').matches) $('filters').open = false;

(async () => {
  const info = state.info = await ask('/api/info');
  document.title = `${info.title} – AuForge explorer`;
  $('title').textContent = info.title;
  $('summary').textContent = `${count(info.faces)} faces on ${count(info.images)} images in ${count(info.shards)} shards` +
      (info.damaged.length ? `; ${info.damaged.length} shards that cannot be read are left out` : '');
  fillChips('aus', info.aus.map((au) => ({term: `AU${au.number}`, label: `AU${au.number}`, title: au.name})));
  fillChips('emotions', info.emotions.map((name) => ({term: `emotion:${JSON.stringify(name)}`, label: name})));
  const option = (value, label) => element('option', {value}, label);
  $('sort').replaceChildren(option('', 'as stored'), option('random:1', 'shuffled'), option('quality', 'best quality'), option('size', 'largest'),
    ...info.aus.map((au) => option(`AU${au.number}`, `AU${au.number} strongest`)));
  readAddress();
  await search(true);
})().catch((fault) => showFault(fault));
