// Keeps the page up to date: regions of it are replaced when the desk says so, and forms are sent without leaving it.
'use strict';
const byId = id => document.getElementById(id);

// swap puts new content into a region, unless that is there already, and leaves the focus where it was.
function swap(id, version, html) {
  const at = byId(id);
  if (!at || at.dataset.v === version) return;
  const focused = at.contains(document.activeElement) ? document.activeElement.id : '';
  const had = at.contains(document.activeElement);
  at.innerHTML = html;
  at.dataset.v = version;
  if (!had) return;
  const to = (focused && byId(focused)) || at.querySelector('[autofocus]') || at.querySelector('button:not(:disabled),input:not([type=hidden])') || byId('main');
  to.focus();
}

// take takes over another page of the desk's, as an answer to a form is one.
function take(text) {
  const doc = new DOMParser().parseFromString(text, 'text/html');
  if (!doc.body.dataset.live) return location.assign('/'); // signed out, say
  const step = document.body.dataset.step;
  for (const s of doc.querySelectorAll('main > section')) swap(s.id, s.dataset.v, s.innerHTML);
  document.body.dataset.step = doc.body.dataset.step;
  const flaw = byId('notice').textContent.trim();
  if (flaw) say('alarm', flaw);
  if (step !== doc.body.dataset.step) settle();
}

// settle puts the focus where the next thing is to be done.
function settle() {
  const to = byId('work').querySelector('[autofocus]') || byId('work').querySelector('button:not(:disabled)') || byId('paid').querySelector('button') || byId('main');
  to.focus();
}

// say has a screen reader say something, though it be the same as before.
function say(id, text) {
  const at = byId(id);
  at.textContent = '';
  if (text) setTimeout(() => { at.textContent = text; }, 50);
}

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  try {
    const r = await fetch(form.action, {method: 'POST', body, headers: {Accept: 'text/html'}});
    if (!r.ok) throw new Error(r.status);
    take(await r.text());
  } catch {
    byId('lost').hidden = false;
  }
}

document.addEventListener('submit', e => {
  const form = e.target;
  if (form.method === 'dialog' || !form.getAttribute('action').startsWith('/do/')) return;
  e.preventDefault();
  if (e.submitter && e.submitter.dataset.sure) return byId('sure').showModal();
  if (byId('sure').open) byId('sure').close();
  send(form, e.submitter);
});

document.addEventListener('keydown', e => {
  if (e.key === 'Escape' && !byId('sure').open && byId('b-cancel')) {
    e.preventDefault();
    byId('sure').showModal();
  }
  if (!e.altKey || e.ctrlKey || e.metaKey || byId('sure').open) return;
  const button = [...document.querySelectorAll('button[data-key]')].find(b => b.dataset.key === e.code && !b.disabled);
  if (button) {
    e.preventDefault();
    button.click();
  }
});

function listen() {
  const live = new EventSource(document.body.dataset.live);
  live.onopen = () => { byId('lost').hidden = true; };
  live.onmessage = e => {
    const m = JSON.parse(e.data);
    const work = m.regions && m.regions.work;
    const was = work && document.activeElement;
    for (const [id, r] of Object.entries(m.regions || {})) swap(id, r.v, r.html);
    if (was && was !== document.activeElement && document.activeElement === document.body) settle();
    if (m.polite) say('polite', m.polite);
    if (m.alarm) say('alarm', m.alarm);
    if (byId('sure').open && !byId('b-cancel')) byId('sure').close();
  };
  live.addEventListener('taken', () => {
    live.close();
    byId('taken').hidden = false;
    say('alarm', byId('taken').textContent);
  });
  live.onerror = () => {
    if (byId('taken').hidden) byId('lost').hidden = false;
    if (live.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 2000); // signed out, or the desk is away
  };
}

listen();
settle();
