// Starts the page: the frame, and the screen that the address names. A screen is loaded when it is first shown, and all are
// a moment later: they are there when the broker is not.
import { h, set } from './dom.js';
import * as route from './route.js';
import * as live from './live.js';
import { makeFrame } from './frame.js';
import { failure, placeNotices } from './notice.js';
import { state } from './session.js';
import { t } from './texts.js';

/** Each function takes the address and returns `{ title, element, leave?(), stay?(address), events? }`. */
const screens = {
    tubes: async () => (await import('./tubes.js')).showTubes,
    'tubes/': async () => (await import('./tube.js')).showTube,
    jobs: async () => (await import('./jobs.js')).showJobs,
    'jobs/': async () => (await import('./job.js')).showJob,
    history: async () => (await import('./history.js')).showHistory,
    reports: async () => (await import('./reports.js')).showReports,
    operations: async () => (await import('./operations.js')).showOperations,
    audit: async () => (await import('./audit.js')).showAudit,
    brokers: async () => (await import('./brokers.js')).showBrokers,
    clients: async () => (await import('./clients.js')).showClients,
    holders: async () => (await import('./holders.js')).showHolders,
    warnings: async () => (await import('./warnings.js')).showWarnings,
    put: async () => (await import('./put.js')).showPut,
};

/** How to load the screen that the address means. */
function loader({ screen, rest }) {
    const name = rest.length && Object.hasOwn(screens, `${screen}/`) ? `${screen}/` : screen;
    return Object.hasOwn(screens, name) ? screens[name] : null;
}

const frame = makeFrame();
let current = null;
let turn = 0;

async function make(address) {
    const load = loader(address);
    if (!load) return { title: t.notFound.title, element: h('div', h('h1', t.notFound.title), h('p', t.notFound.text)) };
    try {
        const showScreen = await load();
        return () => showScreen(address);
    } catch (problem) {
        return failed(problem);
    }
}

function failed(problem) {
    console.error(problem);
    return { title: t.notFound.title, element: failure(problem) };
}

async function show() {
    const address = route.read();
    // A screen may take a new address itself, so that it keeps its place.
    if (current?.stay?.(address)) return;
    turn += 1;
    const mine = turn;
    const made = await make(address);
    // Another address has come meanwhile.
    if (mine !== turn) return;
    current?.leave?.();
    current = null;
    try {
        current = typeof made === 'function' ? made() : made;
    } catch (problem) {
        current = failed(problem);
    }
    set(frame.main, current.element);
    live.watch(current.events ?? { view: 'overview' });
    document.title = `${current.title} \u2013 Beanrow`;
    frame.showPlace(address.screen);
    const title = frame.main.querySelector('h1');
    if (title) title.tabIndex = -1;
    if (title && state.isStarted) {
        title.focus({ preventScroll: true });
        window.scrollTo(0, 0);
    }
    state.isStarted = true;
}

document.body.prepend(frame.element);
placeNotices();
window.addEventListener('hashchange', show);
live.readOverview();
show().finally(live.start);
// Once the first screen has its data.
setTimeout(() => Object.values(screens).forEach((load) => load().catch(() => {})), 1000);
