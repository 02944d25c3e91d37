// What the whole page knows: the last overview, and whether the viewer may act.
import { setClock } from './format.js';
import * as live from './live.js';

export const state = { overview: null, isStarted: false };

live.on('overview', (overview) => {
    state.overview = overview;
    setClock(overview.at);
    // The style sheet hides what acts from those who may only look; the server refuses it anyway.
    document.documentElement.classList.toggle('read-only', !overview.may_act);
});
