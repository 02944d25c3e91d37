// Starts the page: the frame, and the screen that the address names.
import { h, set } from './dom.js';
import * as route from './route.js';
import * as live from './live.js';
import { makeFrame } from './frame.js';
import { failure, placeNotices } from './notice.js';
import { state } from './session.js';
import { t } from './texts.js';
import { showTubes } from './tubes.js';
import { showTube } from './tube.js';
import { showJobs } from './jobs.js';
import { showJob } from './job.js';
import { showHistory } from './history.js';
import { showReports } from './reports.js';
import { showOperations } from './operations.js';
import { showAudit } from './audit.js';
import { showBrokers } from './brokers.js';
import { showClients } from './clients.js';
import { showHolders } from './holders.js';
import { showWarnings } from './warnings.js';
import { showPut } from './put.js';

/** Each takes the address and returns `{ title, element, leave?(), stay?(address), events? }`. */
const screens = {
    tubes: (address) => (address.rest.length ? showTube(address) : showTubes(address)),
    jobs: (address) => (address.rest.length ? showJob(address) : showJobs(address)),
    history: showHistory,
    reports: showReports,
    operations: showOperations,
    audit: showAudit,
    brokers: showBrokers,
    clients: showClients,
    holders: showHolders,
    warnings: showWarnings,
    put: showPut,
};

const frame = makeFrame();
let current = null;

function show() {
    const address = route.read();
    // A screen may take a new address itself, so that it keeps its place.
    if (current?.stay?.(address)) return;
    current?.leave?.();
    current = null;
    const make = screens[address.screen] ?? (() => ({
        title: t.notFound.title,
        element: h('div', h('h1', t.notFound.title), h('p', t.notFound.text)),
    }));
    try {
        current = make(address);
    } catch (problem) {
        current = { title: t.notFound.title, element: failure(problem) };
        console.error(problem);
    }
    set(frame.main, current.element);
    live.watch(current.events ?? { view: 'overview' });
    document.title = `${current.title} \u2013 Beanrow`;
    frame.showPlace(address.screen);
    const title = frame.main.querySelector('h1');
    if (title && state.isStarted) {
        title.tabIndex = -1;
        title.focus({ preventScroll: true });
        window.scrollTo(0, 0);
    }
    state.isStarted = true;
}

document.body.prepend(frame.element);
placeNotices();
window.addEventListener('hashchange', show);
show();
live.start();
live.readOverview();
