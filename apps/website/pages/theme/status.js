// Live figures: reads /metrics every few seconds and draws what changes. Everything goes into the page as text and as numbers of a drawing.
(() => {
  'use strict';

  const PERIOD_MS = 2000;
  const PATIENCE_MS = 5000;
  const KEPT = 90;
  const history = new Map();
  const state = document.getElementById('state');
  const tiles = document.getElementById('tiles');
  let last = null;
  let answered = null;

  // The samples of Prometheus' text format: by name, and by name and labels.
  function read(text) {
    const samples = [];
    for (const line of text.split('\n')) {
      const found = /^([a-z_0-9]+)(?:\{([^}]*)\})? (\S+)$/.exec(line);
      if (!found) continue;
      const label = /="([^"]*)"/.exec(found[2] ?? '')?.[1] ?? '';
      samples.push({ name: found[1].replace(/^morgana_/, ''), label, value: Number(found[3]) });
    }
    return {
      has: (name) => samples.some((sample) => sample.name === name),
      sum: (name) => samples.filter((sample) => sample.name === name).reduce((sum, sample) => sum + sample.value, 0),
      list: (name) => samples.filter((sample) => sample.name === name),
    };
  }

  function bytes(count) {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let unit = 0;
    let size = count;
    while (size >= 1024 && unit + 1 < units.length) {
      size /= 1024;
      unit += 1;
    }
    const digits = unit === 0 || size >= 100 ? 0 : 1;
    return `${size.toFixed(digits)} ${units[unit]}`;
  }

  function number(count) {
    return Math.round(count).toLocaleString('en');
  }

  function rate(value, unit) {
    return `${value < 10 ? value.toFixed(1) : number(value)} ${unit} a second`;
  }

  function duration(seconds) {
    const days = Math.floor(seconds / 86400);
    const hours = Math.floor(seconds / 3600) % 24;
    const minutes = Math.floor(seconds / 60) % 60;
    if (days > 0) return `${days} d ${hours} h`;
    if (hours > 0) return `${hours} h ${minutes} min`;
    if (minutes > 0) return `${minutes} min ${Math.floor(seconds) % 60} s`;
    return `${seconds.toFixed(0)} s`;
  }

  function remember(name, value) {
    const values = history.get(name) ?? [];
    values.push(value);
    if (values.length > KEPT) values.shift();
    history.set(name, values);
    return values;
  }

  function draw(tile, values) {
    const [area, line] = tile.querySelectorAll('path');
    if (values.length < 2) return;
    const top = Math.max(...values, 0) || 1;
    const points = values.map((value, at) => {
      const x = 120 - ((values.length - 1 - at) / (KEPT - 1)) * 120;
      return `${x.toFixed(1)} ${(34 - (value / top) * 32).toFixed(1)}`;
    });
    const first = points[0].split(' ')[0];
    line.setAttribute('d', `M${points.join('L')}`);
    area.setAttribute('d', `M${first} 36L${points.join('L')}L120 36Z`);
  }

  function show(name, figure, detail, value) {
    const tile = tiles.querySelector(`[data-tile="${name}"]`);
    tile.querySelector('.figure').textContent = figure;
    tile.querySelector('.detail').textContent = detail;
    if (value !== undefined) draw(tile, remember(name, value));
  }

  function rows(id, samples) {
    const body = document.getElementById(id);
    body.replaceChildren(
      ...samples.map(({ label, value }) => {
        const row = document.createElement('tr');
        const name = document.createElement('td');
        const count = document.createElement('td');
        name.textContent = label.replaceAll('_', ' ');
        count.textContent = number(value);
        count.className = 'right';
        row.append(name, count);
        return row;
      }),
    );
  }

  function update(now) {
    const uptime = now.sum('uptime_seconds');
    const restarted = last !== null && uptime < last.sum('uptime_seconds');
    if (restarted) history.clear();
    const before = restarted ? null : last;
    const seconds = before ? uptime - before.sum('uptime_seconds') : 0;
    const speed = (name) => (seconds > 0 ? Math.max(0, now.sum(name) - before.sum(name)) / seconds : 0);
    const answers = now.list('http_responses_total');
    const drops = now.list('net_dropped_frames_total');
    const dropped = now.sum('net_dropped_frames_total');
    const used = now.sum('heap_used_bytes');
    const size = now.sum('heap_size_bytes');
    const share = size > 0 ? `${((used / size) * 100).toFixed(0)} % of ${bytes(size)}` : 'not counted where this runs';

    show('uptime', duration(uptime), `since ${new Date(Date.now() - uptime * 1000).toLocaleString('en-GB')}`);
    show('requests', number(now.sum('http_requests_total')), rate(speed('http_requests_total'), 'requests'), speed('http_requests_total'));
    show('connections', number(now.sum('http_connections_open')), `${number(now.sum('http_connections_total'))} so far`, now.sum('http_connections_open'));
    show('memory', bytes(used), share, used);
    show('received', bytes(now.sum('net_received_bytes_total')), rate(speed('net_received_bytes_total') / 1024, 'KiB'), speed('net_received_bytes_total'));
    show('sent', bytes(now.sum('net_sent_bytes_total')), rate(speed('net_sent_bytes_total') / 1024, 'KiB'), speed('net_sent_bytes_total'));
    show('drops', number(dropped), rate(speed('net_dropped_frames_total'), 'frames'), speed('net_dropped_frames_total'));
    show('resources', number(now.sum('grants_used')), `of ${number(now.sum('grants_limit'))}; ${number(now.sum('event_ports_used'))} event ports`, now.sum('grants_used'));
    rows('answers-rows', answers);
    rows('drops-rows', drops);
    last = now;
  }

  function say(text, kind) {
    state.className = `pill ${kind}`;
    if (state.textContent !== text) state.textContent = text;
    tiles.classList.toggle('old', kind === 'away');
  }

  async function look() {
    try {
      const answer = await fetch('/metrics', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const now = read(await answer.text());
      if (!now.has('uptime_seconds')) throw new Error('no figures');
      update(now);
      answered = Date.now();
      say('The server answers.', 'good');
    } catch {
      const since = answered === null ? '' : ` since ${new Date(answered).toLocaleTimeString('en-GB')}`;
      say(`The server has not answered${since}. Trying again.`, 'away');
    }
    setTimeout(next, PERIOD_MS);
  }

  // A page that nobody sees asks for nothing.
  function next() {
    if (document.hidden) document.addEventListener('visibilitychange', next, { once: true });
    else look();
  }

  next();
})();
