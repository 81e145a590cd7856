// Search without a server: the index comes with the site (its format is told where it is made), and what is shown of a page is taken from the page.
// All that is found is put in the page as text, never as HTML.
(() => {
  'use strict';

  const SHOWN = 12;
  const LONGEST_WORD = 24;
  const pages = new Map();
  let loading = null;

  function load(address) {
    loading ??= fetch(address)
      .then((answer) => {
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        return answer.json();
      })
      .then(read)
      .catch((error) => {
        loading = null;
        throw error;
      });
    return loading;
  }

  function read(data) {
    const words = [];
    const lists = [];
    let before = [];
    for (const line of data.words.split('\n')) {
      const [entry, list] = line.split(' ');
      if (!list) continue;
      const word = before.slice(0, parseInt(entry[0], 36)).join('') + entry.slice(1);
      before = Array.from(word);
      let page = 0;
      words.push(word);
      lists.push(list.split(',').map((step) => (page += parseInt(step, 36))));
    }
    const titles = data.pages.map(([url, title, ...rest]) => {
      const headings = [];
      for (let at = 0; at + 1 < rest.length; at += 2) {
        headings.push({ id: rest[at], text: rest[at + 1], words: split(rest[at + 1]) });
      }
      return { url, title, words: split(title), headings };
    });
    return { words, lists, titles, common: new Set(data.common) };
  }

  function split(text) {
    const words = text.toLowerCase().match(/[\p{Alphabetic}\p{N}]+/gu) ?? [];
    return words.map((word) => Array.from(word).slice(0, LONGEST_WORD).join('')).filter((word) => word.length > 1);
  }

  // How well a word fits the words of a text: as a whole, or as a beginning.
  function fit(words, wanted, whole, beginning) {
    if (words.includes(wanted)) return whole;
    return words.some((word) => word.startsWith(wanted)) ? beginning : 0;
  }

  function find(index, wanted) {
    const scores = new Map();
    wanted.forEach((word, turn) => {
      const found = new Map();
      const add = (page, points) => found.set(page, Math.max(found.get(page) ?? 0, points));
      let low = 0;
      let high = index.words.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (index.words[middle] < word) low = middle + 1;
        else high = middle;
      }
      for (let at = low; at < index.words.length && index.words[at].startsWith(word); at += 1) {
        const points = index.words[at] === word ? 2 : 1;
        index.lists[at].forEach((page) => add(page, points));
      }
      index.titles.forEach((page, number) => {
        const title = fit(page.words, word, 24, 14);
        const heading = Math.max(0, ...page.headings.map((entry) => fit(entry.words, word, 7, 4)));
        if (title || heading) add(number, title + heading);
        if (index.common.has(word)) add(number, title + heading);
      });
      // A page has to have every word.
      if (turn === 0) found.forEach((points, page) => scores.set(page, points));
      else {
        for (const [page, points] of scores) {
          if (found.has(page)) scores.set(page, points + found.get(page));
          else scores.delete(page);
        }
      }
    });
    return [...scores].sort(([a, x], [b, y]) => y - x || a - b).map(([page]) => index.titles[page]);
  }

  function best(page, wanted) {
    let chosen = null;
    let most = 0;
    for (const heading of page.headings) {
      const points = wanted.reduce((sum, word) => sum + fit(heading.words, word, 3, 2), 0);
      if (points > most) [chosen, most] = [heading, points];
    }
    return chosen;
  }

  function text(url) {
    if (!pages.has(url)) {
      const page = fetch(url)
        .then((answer) => (answer.ok ? answer.text() : ''))
        .then((html) => {
          const article = new DOMParser().parseFromString(html, 'text/html').querySelector('main article');
          article?.querySelectorAll('nav, h1, .anchor, .trail').forEach((part) => part.remove());
          article?.querySelectorAll('td, th, p, li, pre, h2, h3, h4').forEach((part) => part.append(' '));
          return article?.textContent.replace(/\s+/g, ' ').trim() ?? '';
        })
        .catch(() => '');
      pages.set(url, page);
    }
    return pages.get(url);
  }

  function snippet(into, whole, wanted) {
    const words = new RegExp(`(?<![\\p{Alphabetic}\\p{N}])(?:${wanted.join('|')})`, 'giu');
    const first = whole.search(words);
    const from = first > 70 ? whole.indexOf(' ', first - 60) + 1 : 0;
    const piece = whole.slice(from, from + 200).replace(/\s+\S*$/, '');
    let at = 0;
    const parts = [from > 0 ? '… ' : ''];
    for (const match of piece.matchAll(words)) {
      const mark = document.createElement('mark');
      mark.textContent = match[0];
      parts.push(piece.slice(at, match.index), mark);
      at = match.index + match[0].length;
    }
    into.replaceChildren(...parts, piece.slice(at), whole.length > from + piece.length ? ' …' : '');
  }

  function item(page, wanted) {
    const entry = document.createElement('li');
    const link = document.createElement('a');
    const heading = best(page, wanted);
    link.href = heading ? `${page.url}#${heading.id}` : page.url;
    link.textContent = page.title;
    if (heading) {
      const where = document.createElement('small');
      where.textContent = ` › ${heading.text}`;
      link.append(where);
    }
    const below = document.createElement('p');
    entry.append(link, below);
    text(page.url).then((whole) => snippet(below, whole, wanted));
    return entry;
  }

  function searchPage(form) {
    const input = form.elements.q;
    const list = document.getElementById(form.dataset.results);
    const status = document.getElementById('found');
    let turn = 0;
    let remembering = 0;

    // In the address, so that going back to this page finds it as it was.
    function remember() {
      const address = new URL(location.href);
      if (input.value) address.searchParams.set('q', input.value);
      else address.searchParams.delete('q');
      history.replaceState(history.state, '', address);
    }

    async function update() {
      const mine = (turn += 1);
      const wanted = [...new Set(split(input.value))];
      clearTimeout(remembering);
      remembering = setTimeout(remember, 400);
      if (wanted.length === 0) {
        list.replaceChildren();
        status.textContent = '';
        return;
      }
      try {
        const found = find(await load(form.dataset.index), wanted);
        if (mine !== turn) return;
        list.replaceChildren(...found.slice(0, SHOWN).map((page) => item(page, wanted)));
        const more = found.length > SHOWN ? `, the first ${SHOWN} of them` : '';
        status.textContent = found.length === 1 ? '1 page' : `${found.length || 'No'} pages${more}`;
      } catch (error) {
        status.textContent = `The index cannot be loaded: ${error.message}`;
      }
    }

    form.addEventListener('submit', (event) => {
      event.preventDefault();
      list.querySelector('a')?.focus();
    });
    form.closest('article').addEventListener('keydown', (event) => {
      const places = [input, ...list.querySelectorAll('a')];
      const at = places.indexOf(document.activeElement);
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === 'Escape' && at > 0) input.focus();
      else if (step && at >= 0 && places[at + step]) places[at + step].focus();
      else return;
      event.preventDefault();
    });
    input.addEventListener('input', update);
    input.value = new URL(location.href).searchParams.get('q') ?? '';
    input.focus();
    update();
  }

  for (const form of document.querySelectorAll('form[data-index]')) {
    if (form.dataset.results) searchPage(form);
    else form.elements.q.addEventListener('focus', () => load(form.dataset.index).catch(() => {}), { once: true });
  }

  document.addEventListener('keydown', (event) => {
    const typing = event.target.closest?.('input, textarea, select');
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const input = document.querySelector('form[data-index] input');
    if (!input || input.offsetParent === null) return;
    event.preventDefault();
    input.focus();
  });
})();
