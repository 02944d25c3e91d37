// Numbers and times as people read them.
import { t } from './texts.js';

const thin = '\u202f';

/** 12431 as "12 431", with thin spaces. */
export function count(number) {
    if (number === null || number === undefined) return '';
    return String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, thin);
}

/** A rate: one decimal below ten. */
export function rate(perSecond) {
    if (!perSecond || Math.abs(perSecond) < 0.05) return '0';
    return Math.abs(perSecond) < 9.95 ? perSecond.toFixed(1) : count(perSecond);
}

/** A rate with its sign. */
export function growth(perSecond) {
    const text = rate(Math.abs(perSecond));
    if (text === '0') return '0';
    return (perSecond < 0 ? '\u2212' : '+') + text;
}

/** A number for an axis: 1.2 k, 40 M. */
export function short(number) {
    for (const [size, unit] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
        if (number >= size) return trim(number / size) + thin + unit;
    }
    return trim(number);
}

function trim(number) {
    return String(Number(number >= 100 ? number.toFixed(0) : number.toPrecision(2)));
}

const units = [[86400, 'd'], [3600, 'h'], [60, 'min']];

/** A length of time in one unit: "3 min". */
export function duration(seconds) {
    if (seconds === null || seconds === undefined) return '';
    if (seconds === 0) return `0${thin}s`;
    if (seconds < 0.001) return `<1${thin}ms`;
    if (seconds < 0.9995) return `${trim(seconds * 1000)}${thin}ms`;
    if (seconds < 9.95) return `${Number(seconds.toFixed(1))}${thin}s`;
    for (const [size, unit] of units) {
        if (seconds >= 2 * size || (unit === 'min' && seconds >= 60)) return `${Math.floor(seconds / size)}${thin}${unit}`;
    }
    return `${Math.floor(seconds)}${thin}s`;
}

/** A length of time in full: "2 h 4 min 20 s". */
export function exactDuration(seconds) {
    if (seconds < 60) return `${Number(seconds.toFixed(3))} s`;
    let rest = Math.round(seconds);
    const parts = [];
    for (const [size, unit] of [...units, [1, 's']]) {
        if (rest >= size) parts.push(`${Math.floor(rest / size)} ${unit}`);
        rest %= size;
    }
    return parts.join(' ');
}

/** What a person has written as a length of time, in seconds: "90", "10m", "1.5 h". Null if it is none. */
export function parseDuration(text) {
    const found = /^\s*(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|d)?\s*$/i.exec(text);
    if (!found) return null;
    return Number(found[1]) * { s: 1, m: 60, h: 3600, d: 86400 }[(found[2] ?? 's')[0].toLowerCase()];
}

/** Bytes: "12 KiB". */
export function bytes(number) {
    if (number < 1024) return `${number}${thin}B`;
    const unit = number < 1048576 ? [1024, 'KiB'] : [1048576, 'MiB'];
    return `${trim(number / unit[0])}${thin}${unit[1]}`;
}

let offset = 0;
/** The time at the broker, which the clock of the viewer may not have. */
export const now = () => Date.now() + offset;

/** Learns the time from what the broker has just said. */
export function setClock(at) {
    const difference = Date.parse(at) - Date.now();
    offset = Math.abs(difference) > 2000 ? difference : 0;
}

const two = (number) => String(number).padStart(2, '0');

/** The time of day: "12:03:04". */
export function clock(time) {
    const date = new Date(time);
    return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A moment in full: "2026-11-28 12:03:04". */
export function moment(time) {
    const date = new Date(time);
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(date)}`;
}

/** A moment from here: "3 min ago", "in 20 s". */
export function relative(time) {
    const seconds = (now() - new Date(time)) / 1000;
    if (Math.abs(seconds) < 1) return t.times.now;
    return seconds > 0 ? t.times.ago(duration(seconds)) : t.times.ahead(duration(-seconds));
}

/** 1 job, 2 jobs. */
export function jobs(number) {
    return t.jobsCounted(count(number), number);
}
