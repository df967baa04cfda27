// SPDX-License-Identifier: MIT
// The page of hvkit trace --html. Data: the JSON block "trace". Text reaches the page as text
// only (textContent), never as markup.
'use strict';
(function () {
	const TIME = 0, CPU = 1, TO_GUEST = 2, KIND = 3, CHANNEL = 4, DEVICE = 5, WORDS = 6, ITEMS = 7, BYTES = 8, COUNTS = 9;
	const NO_CPU = -1, ROW = 34, LANES_MAX = 8, LEFT = 118, LANE = 46, DRAWN_MAX = 300;
	const THIN = new Set(['signal', 'event', 'interrupt']), POINT = new Set(['msr-write', 'msr-read', 'hypercall']);
	const trace = JSON.parse(document.getElementById('trace').textContent);
	const records = trace.records;
	const byId = (id) => document.getElementById(id);
	const element = (name, kind, text) => {
		const made = document.createElement(name);
		if (kind) made.className = kind;
		if (text !== undefined) made.textContent = text;
		return made;
	};
	const scroll = byId('scroll'), space = byId('space'), details = byId('details'), search = byId('search');
	const hidden = { channels: new Set(), kinds: new Set() };
	let rows = [], chosen = -1, drawn = [-1, -1], dialogue = false;

	// --- Lanes ---------------------------------------------------------------------------
	let cpus = [...new Set(records.map((r) => r[CPU]))].filter((cpu) => cpu !== NO_CPU).sort((a, b) => a - b);
	const merged = cpus.length > LANES_MAX;
	if (cpus.length === 0) cpus = [0];
	const lanes = merged ? 1 : cpus.length;
	const laneOf = (cpu) => (merged || cpu === NO_CPU ? 0 : cpus.indexOf(cpu));
	const laneX = (lane) => LEFT + 30 + lane * LANE;
	const hostX = () => scroll.clientWidth - 44;
	const colour = (channel) => 'c' + (channel === 0 ? 0 : 1 + (channel - 1) % 7);

	const seconds = (time) => Math.floor(time / 1e7) + '.' + String(time % 1e7).padStart(7, '0');
	function span(time) {
		const [size, unit] = time >= 1e7 ? [1e7, 's'] : time >= 1e4 ? [1e4, 'ms'] : [10, '\u00b5s'];
		const value = time / size;
		return (value >= 100 ? Math.round(value) : Number(value.toPrecision(3))) + ' ' + unit;
	}

	// --- What is shown -------------------------------------------------------------------
	function gapLimit(list) {
		const gaps = [];
		for (let n = 1; n < list.length; n++) gaps.push(records[list[n]][TIME] - records[list[n - 1]][TIME]);
		gaps.sort((a, b) => a - b);
		return Math.max(1e4, 20 * (gaps[gaps.length >> 1] || 0)); // a millisecond at least
	}
	// In the dialogue alone the bodies of one GPADL are one row.
	const bodyOf = (record) => (/^gpadl-body gpadl=\S+/.exec(records[record][WORDS]) || [''])[0];
	const continues = (record, row) => row !== undefined && bodyOf(record) !== '' && bodyOf(record) === bodyOf(row.record);
	function filter() {
		const text = search.value.trim().toLowerCase(), keep = chosen;
		const list = [];
		records.forEach((r, n) => {
			if (hidden.channels.has(r[CHANNEL]) || hidden.kinds.has(r[KIND])) return;
			if (text && !r[WORDS].toLowerCase().includes(text)) return;
			list.push(n);
		});
		const limit = gapLimit(list);
		rows = [];
		list.forEach((record, n) => {
			const gap = n > 0 ? records[record][TIME] - records[list[n - 1]][TIME] : 0;
			if (gap >= limit) rows.push({ gap });
			else if (dialogue && continues(record, rows[rows.length - 1])) {
				rows[rows.length - 1].more++;
				return;
			}
			rows.push({ record, more: 0 });
		});
		byId('count').textContent = list.length + ' of ' + records.length + ' records';
		byId('count').dataset.shown = list.length;
		space.style.height = rows.length * ROW + 'px';
		drawn = [-1, -1];
		draw();
		if (keep >= 0 && list.includes(keep)) show(keep, true);
	}

	// --- Rows ------------------------------------------------------------------------------
	function lifelines(row) {
		for (let lane = 0; lane <= lanes; lane++) {
			const line = element('div', 'life');
			line.style.left = (lane === lanes ? hostX() : laneX(lane)) - 1 + 'px';
			row.append(line);
		}
	}
	function place(made, from, to) {
		made.style.left = from + 'px';
		made.style.width = Math.max(0, to - from) + 'px';
		return made;
	}
	// "in-band id=1 | nvs rndis | rndis packet | arp who-has": what is innermost comes first, then
	// what carries it. Of several messages in one packet the first, and how many more.
	function label(words) {
		const made = element('div', 'label');
		let layers = words.split(' | ');
		const messages = layers.reduce((all, layer, n) => (layer.startsWith('rndis ') ? [...all, n] : all), []);
		if (messages.length > 1) layers = layers.slice(0, messages[1]);
		layers.reverse().forEach((layer, n) => {
			const match = /^((?:nvs|rndis|vstor|scsi|sense|write|read|hypercall|arp|icmp|dhcp|http|tcp|udp) )?\S+/.exec(layer);
			const head = match ? match[0] : layer;
			if (n > 0) made.append(element('span', 'then', '\u2039'));
			if (n > 0) return made.append(element('span', 'outer', layer));
			made.append(element('b', '', head), element('span', 'rest', layer.slice(head.length)));
			if (messages.length > 1) made.append(element('span', 'rest', ' (and ' + (messages.length - 1) + ' more)'));
		});
		made.title = words;
		return made;
	}
	function drawRecord(row, r, more) {
		const from = laneX(laneOf(r[CPU])), to = hostX();
		row.append(element('div', 'time', seconds(r[TIME])));
		if (r[KIND] === 'violation' || r[KIND] === 'note') {
			row.append(place(element('div', 'box ' + r[KIND], r[WORDS]), laneX(lanes - 1) + 14, to - 14));
			return;
		}
		const arrow = element('div', 'arrow ' + (r[TO_GUEST] ? 'to-guest ' : 'to-host ') + colour(r[CHANNEL]));
		if (THIN.has(r[KIND])) arrow.classList.add('thin');
		if (POINT.has(r[KIND])) arrow.classList.add('point');
		row.append(place(arrow, from + 2, to - 2));
		const words = label(r[WORDS]);
		words.classList.add(colour(r[CHANNEL]));
		if (more) words.append(element('span', 'outer', ' (and ' + more + ' more)'));
		row.append(place(words, laneX(lanes - 1) + 4, to - 2));
	}
	function draw() {
		const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - 6);
		const last = Math.min(rows.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / ROW) + 6, first + DRAWN_MAX);
		if (drawn[0] === first && drawn[1] === last) return;
		drawn = [first, last];
		const made = [];
		for (let n = first; n < last; n++) {
			const row = element('div', 'row');
			row.style.top = n * ROW + 'px';
			lifelines(row);
			if (rows[n].gap !== undefined) {
				row.classList.add('fold');
				row.append(element('div', 'gap', span(rows[n].gap) + ' later'));
			} else {
				row.dataset.record = rows[n].record;
				if (rows[n].record === chosen) row.classList.add('chosen');
				drawRecord(row, records[rows[n].record], rows[n].more);
			}
			made.push(row);
		}
		if (rows.length === 0) made.push(element('div', '', records.length ? 'Nothing is left by the filter.' : 'The trace is empty.'));
		if (rows.length === 0) made[0].id = 'none';
		space.replaceChildren(...made);
		if (rows.length === 0) space.style.height = '100px';
	}
	function redraw() {
		drawn = [-1, -1];
		heads();
		draw();
	}
	function heads() {
		const all = [element('span', 'clock', 'seconds')];
		for (let lane = 0; lane < lanes; lane++) {
			const head = element('span', '', merged ? 'guest' : (lane === 0 && lanes === 1 ? 'guest cpu' : 'cpu') + cpus[lane]);
			head.style.left = laneX(lane) + 'px';
			all.push(head);
		}
		const host = element('span', '', 'host');
		host.style.left = hostX() + 'px';
		byId('heads').replaceChildren(...all, host);
	}

	// --- Details --------------------------------------------------------------------------------
	function dump(r) {
		const made = element('div');
		made.id = 'bytes';
		const hex = r[BYTES];
		const spans = [];
		// Bytes kept of the record, then of what it points to: two lists, two sets of offsets.
		let base = 0;
		hex.forEach((part, which) => {
			const total = r[COUNTS][which], there = part.length / 2;
			if (total === 0) return;
			made.append(element('span', 'at', which === 0 ? 'Record, ' + total + ' bytes\n' : '\nPointed to, ' + total + ' bytes\n'));
			for (let at = 0; at < there; at += 16) {
				made.append(element('span', 'at', at.toString(16).padStart(4, '0') + '  '));
				let text = '';
				for (let n = 0; n < 16; n++) {
					if (at + n >= there) {
						made.append('   ');
						continue;
					}
					const pair = part.substr(2 * (at + n), 2), value = parseInt(pair, 16);
					const one = element('span', '', pair);
					spans.push([base + at + n, one]);
					made.append(one, n === 7 ? '  ' : ' ');
					text += value >= 0x20 && value < 0x7f ? String.fromCharCode(value) : '\u00b7';
				}
				made.append(element('span', 'text', ' ' + text), '\n');
			}
			if (there < total) made.append(element('span', 'at', '... ' + (total - there) + ' more in the trace\n'));
			base += total;
		});
		made.light = (at, size) => spans.forEach(([offset, one]) =>
			one.classList.toggle('lit', offset >= at && offset < at + size));
		return made;
	}
	function fields(items, bytes) {
		const made = [];
		let table = null;
		items.forEach(([name, value, at, size]) => {
			let shown;
			if (name === '') {
				shown = element('h3', '', value);
				table = element('table');
				made.push(shown, table);
			} else {
				shown = element('tr');
				shown.append(element('td', '', name), element('td', '', value));
				if (table) table.append(shown);
			}
			shown.addEventListener('mouseenter', () => bytes.light(at, size));
			shown.addEventListener('mouseleave', () => bytes.light(0, 0));
		});
		return made;
	}
	function show(record, stay) {
		const r = records[record], bytes = dump(r);
		const close = element('button', 'close', 'close');
		close.addEventListener('click', hide);
		chosen = record;
		const where = ['record ' + (record + 1), seconds(r[TIME]) + ' s', r[CPU] === NO_CPU ? '' : 'cpu' + r[CPU],
			r[KIND] === 'note' || r[KIND] === 'violation' ? '' : r[TO_GUEST] ? 'host to guest' : 'guest to host',
			r[CHANNEL] ? 'channel ' + r[CHANNEL] + ' ' + r[DEVICE] : ''].filter(Boolean).join(', ');
		details.replaceChildren(close, element('h2', '', r[KIND]), element('p', '', where), ...fields(r[ITEMS], bytes),
			element('h3', '', 'bytes'), bytes);
		if (r[BYTES].every((part) => part === '') && (r[COUNTS][0] || r[COUNTS][1]))
			bytes.textContent = 'Not kept: the page has reached its limit.';
		const n = rows.findIndex((row) => row.record === record);
		if (!stay && n >= 0) {
			if (n * ROW < scroll.scrollTop + ROW) scroll.scrollTop = (n - 2) * ROW;
			else if ((n + 3) * ROW > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = (n + 3) * ROW - scroll.clientHeight;
		}
		redraw();
	}
	function hide() {
		chosen = -1;
		details.replaceChildren();
		redraw();
	}
	function step(by) {
		let n = rows.findIndex((row) => row.record === chosen && chosen >= 0);
		if (n < 0) n = by > 0 ? Math.floor(scroll.scrollTop / ROW) - 1 : Math.floor(scroll.scrollTop / ROW) + 1;
		for (n += by; n >= 0 && n < rows.length && rows[n].record === undefined; n += by);
		if (n >= 0 && n < rows.length) show(rows[n].record, false);
	}

	// --- Chips ------------------------------------------------------------------------------------
	function chips(group, key, name, dot) {
		const counts = new Map();
		records.forEach((r) => counts.set(r[key], (counts.get(r[key]) || 0) + 1));
		const values = [...counts.keys()].sort((a, b) => (typeof a === 'number' ? a - b : counts.get(b) - counts.get(a)));
		const set = hidden[group], all = [];
		values.forEach((value) => {
			const chip = element('button');
			chip.type = 'button';
			chip.dataset.value = value;
			if (dot) chip.append(element('i', colour(value)));
			chip.append(name(value), element('span', 'n', counts.get(value)));
			chip.addEventListener('click', (event) => {
				if (event.shiftKey) {
					const alone = set.size === values.length - 1 && !set.has(value);
					set.clear();
					if (!alone) values.forEach((other) => other !== value && set.add(other));
				} else if (!set.delete(value)) {
					set.add(value);
				}
				all.forEach(([v, c]) => c.setAttribute('aria-pressed', String(!set.has(v))));
				filter();
			});
			chip.setAttribute('aria-pressed', 'true');
			all.push([value, chip]);
			byId(group).append(chip);
		});
	}
	// Registers, hypercalls, signals, events and interrupts carry the dialogue; without them it is short.
	const CARRIERS = new Set([...THIN, ...POINT]);
	function dialogueOnly() {
		dialogue = !dialogue;
		byId('kinds').querySelectorAll('button[data-value]').forEach((chip) => {
			const kind = chip.dataset.value;
			if (!CARRIERS.has(kind)) return;
			if (dialogue) hidden.kinds.add(kind);
			else hidden.kinds.delete(kind);
			chip.setAttribute('aria-pressed', String(!dialogue));
		});
		byId('preset').textContent = dialogue ? 'everything' : 'dialogue only';
		filter();
	}
	const devices = new Map(records.map((r) => [r[CHANNEL], r[DEVICE]]));

	// --- Start --------------------------------------------------------------------------------------
	byId('name').textContent = trace.name + (trace.guest ? ', guest ' + trace.guest : '');
	const said = [];
	if (trace.error) said.push('The file is damaged ' + trace.error + '. Shown is what comes before.');
	if (trace.left_out) said.push('Only the first ' + records.length + ' records are here; ' + trace.left_out +
		' later ones, up to ' + seconds(trace.last_time) + ' s, are left out: use --from, --to, --channel or --kind.');
	if (trace.without_bytes) said.push('Of the last ' + trace.without_bytes + ' records only the words are kept: the page would grow too large.');
	byId('warning').textContent = said.join(' ');
	chips('channels', CHANNEL, (channel) => (channel ? channel + ' ' + devices.get(channel) : 'none'), true);
	chips('kinds', KIND, (kind) => kind, false);
	const preset = element('button', 'preset', 'dialogue only');
	preset.id = 'preset';
	preset.title = 'Without registers, hypercalls, signals, events and interrupts ( d )';
	preset.addEventListener('click', dialogueOnly);
	byId('kinds').append(preset);
	scroll.addEventListener('scroll', draw);
	new ResizeObserver(redraw).observe(scroll);
	space.addEventListener('click', (event) => {
		const row = event.target.closest('.row');
		if (row && row.dataset.record !== undefined) show(Number(row.dataset.record), true);
	});
	search.addEventListener('input', filter);
	document.addEventListener('keydown', (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey) return;
		if (event.key === 'Escape') {
			if (document.activeElement === search || details.childElementCount === 0) {
				search.value = '';
				search.blur();
				filter();
			} else hide();
		} else if (document.activeElement === search) {
			if (event.key === 'Enter') search.blur();
			return;
		} else if (event.key === '/') {
			search.focus();
			search.select();
		} else if (event.key === 'd') dialogueOnly();
		else if (event.key === 'j' || event.key === 'ArrowDown') step(1);
		else if (event.key === 'k' || event.key === 'ArrowUp') step(-1);
		else return;
		event.preventDefault();
	});
	heads();
	filter();

	// --- For tests: #selftest uses the page as a reader would and writes down what it saw ---------
	// #show=N opens record N, #dialogue hides what carries the dialogue.
	function selftest() {
		const shown = () => Number(byId('count').dataset.shown);
		const press = (key) => document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
		const seen = { records: records.length, shown: shown(), rows: space.childElementCount };
		seen.arrows = space.querySelectorAll('.arrow').length;
		seen.labels = [...space.querySelectorAll('.label')].map((one) => one.textContent).join(' ; ').slice(0, 400);
		seen.boxes = space.querySelectorAll('.box').length;
		seen.kinds = [...byId('kinds').querySelectorAll('button[data-value]')].map((one) => one.dataset.value).join(',');
		byId('kinds').querySelector('button[data-value]').click();
		seen.filtered = shown();
		byId('kinds').querySelector('button[data-value]').click();
		search.value = records.length ? records[records.length >> 1][WORDS].slice(0, 20) : '';
		search.dispatchEvent(new Event('input'));
		seen.found = shown();
		press('Escape');
		seen.restored = shown();
		const row = space.querySelector('.row[data-record]');
		if (row) row.querySelector('.label, .box').click();
		seen.fields = details.querySelectorAll('tr').length;
		seen.bytes = byId('bytes') ? byId('bytes').querySelectorAll('span:not(.at):not(.text)').length : 0;
		const before = chosen;
		press('j');
		seen.stepped = chosen - before;
		scroll.scrollTop = space.clientHeight;
		draw();
		seen.last = Math.max(...[...space.querySelectorAll('.row[data-record]')].map((one) => Number(one.dataset.record))) + 1;
		seen.injected = document.querySelectorAll('#space img, #space script, #details img, #details script').length;
		press('d');
		seen.dialogue = shown();
		press('d');
		seen.everything = shown();
		press('Escape');
		seen.closed = details.childElementCount === 0;
		document.body.dataset.selftest = JSON.stringify(seen);
	}
	if (location.hash === '#selftest') selftest();
	const asked = new URLSearchParams(location.hash.slice(1));
	if (asked.has('dialogue')) dialogueOnly();
	if (records[asked.get('show') - 1]) show(asked.get('show') - 1, false);
})();
