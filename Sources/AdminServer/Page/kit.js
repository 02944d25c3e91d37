// What nearly every screen uses.
export { ask } from './dialog.js';
export { h, set, setAttribute, setText } from './dom.js';
export * from './format.js';
export * as live from './live.js';
export { fail, note, region } from './notice.js';
export { get, getBytes, post, tubePath } from './api.js';
export { link, remember, go } from './route.js';
export { states, stateLabel } from './states.js';
export { emptyNote, makeTable } from './table.js';
export { t } from './texts.js';
export { time } from './time.js';
