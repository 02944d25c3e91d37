// What comes from the broker by itself: one stream of events, and reads that are repeated. Both rest while the page is
// hidden or live is off.
import { address, get } from './api.js';

/** Seconds between two updates that can be chosen; 0 is off. */
export const intervals = [1, 2, 5, 10, 30, 0];

const listeners = { overview: new Set(), tubes: new Set(), operation: new Set(), away: new Set(), back: new Set() };
let source = null;
let query = { view: 'overview' };
let interval = stored();
let pending = {};
let shownAt = 0;
let flush = null;
let isAway = false;
let retryAfter = 1;
let retry = null;
const repeated = new Set();

function stored() {
    try {
        const number = Number(localStorage.getItem('beanrow-interval') ?? 1);
        return intervals.includes(number) ? number : 1;
    } catch {
        return 1;
    }
}

/** Calls `listener` at each event of a kind. Returns a function that ends that. */
export function on(kind, listener) {
    listeners[kind].add(listener);
    return () => listeners[kind].delete(listener);
}

function tell(kind, value) {
    for (const listener of [...listeners[kind]]) listener(value);
}

export const currentInterval = () => interval;
const runs = () => interval > 0 && !document.hidden;

/** Chooses how often the page shows what is new; 0 turns that off. */
export function chooseInterval(seconds) {
    interval = seconds;
    try { localStorage.setItem('beanrow-interval', String(seconds)); } catch { /* It holds until the page is left. */ }
    reconsider();
}

/** What the stream shall bring: `{ view: 'tubes', sort: … }`. */
export function watch(next) {
    if (JSON.stringify(next) === JSON.stringify(query) && source) return;
    query = next;
    close();
    reconsider();
}

function close() {
    clearTimeout(retry);
    retry = null;
    source?.close();
    source = null;
}

function reconsider() {
    if (!runs()) {
        close();
    } else if (!source && !retry) {
        open();
    }
    for (const entry of repeated) schedule(entry);
}

function open() {
    source = new EventSource(address('events', query));
    for (const kind of ['overview', 'tubes', 'operation']) {
        source.addEventListener(kind, (event) => {
            retryAfter = 1;
            receive(kind, JSON.parse(event.data));
        });
    }
    source.onerror = () => {
        // The browser would try again by itself only after some failures; so all are treated alike.
        close();
        setAway(true);
        retry = setTimeout(() => { retry = null; reconsider(); }, retryAfter * 1000);
        retryAfter = Math.min(retryAfter * 2, 8);
    };
}

/** A read has found that the broker does not answer. */
export function noticeAway() {
    setAway(true);
    if (!runs()) retry ??= setTimeout(() => { retry = null; readOverview(); }, 2000);
}

function setAway(away) {
    if (isAway === away) return;
    isAway = away;
    tell(away ? 'away' : 'back');
}

function receive(kind, value) {
    setAway(false);
    if (kind === 'operation') return tell(kind, value);
    pending[kind] = value;
    const wait = shownAt + interval * 1000 - 500 - Date.now();
    if (wait <= 0) showPending();
    else flush ??= setTimeout(showPending, wait);
}

function showPending() {
    clearTimeout(flush);
    flush = null;
    // The tubes follow the overview: they shall not wait for the next turn.
    if (pending.tubes || query.view !== 'tubes') shownAt = Date.now();
    const values = pending;
    pending = {};
    for (const [kind, value] of Object.entries(values)) tell(kind, value);
}

/** Reads the overview once, when the stream does not bring it. */
export async function readOverview() {
    try {
        tell('overview', await get('overview'));
        setAway(false);
    } catch (problem) {
        if (problem.status === 0) noticeAway();
    }
}

/** Repeats `read` while live is on, at least `seconds` apart. Returns a function that ends that. */
export function repeat(seconds, read) {
    const entry = { seconds, read, timer: null, isReading: false, isOver: false };
    repeated.add(entry);
    schedule(entry);
    return () => {
        entry.isOver = true;
        clearTimeout(entry.timer);
        repeated.delete(entry);
    };
}

/** Reads now, repeatedly, and when the broker is back. Returns a function that ends that. */
export function keep(seconds, read) {
    const stops = [repeat(seconds, read), on('back', read)];
    read();
    return () => stops.forEach((stop) => stop());
}

function schedule(entry) {
    clearTimeout(entry.timer);
    entry.timer = null;
    if (!runs() || entry.isReading || entry.isOver) return;
    entry.timer = setTimeout(async () => {
        entry.isReading = true;
        try {
            if (!isAway) await entry.read();
        } catch { /* The stream tells that the broker is away; what a screen must show, it catches. */ }
        entry.isReading = false;
        schedule(entry);
    }, 1000 * Math.max(entry.seconds, interval));
}

document.addEventListener('visibilitychange', reconsider);
export const start = reconsider;
