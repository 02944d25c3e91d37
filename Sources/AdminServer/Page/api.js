// The API of the broker that serves this page.

// This file is at assets/HASH/api.js.
const base = new URL('../../api/v1/', import.meta.url);
// Addresses with a name and a password are refused by `fetch`; the browser sends both by itself.
base.username = '';
base.password = '';

/** The address of something in the API. `query` leaves out what is empty; a list gives a parameter for each value. */
export function address(path, query = {}) {
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(query)) {
        for (const one of [value].flat()) {
            if (one !== null && one !== undefined && one !== '') url.searchParams.append(name, one);
        }
    }
    return url;
}

/** What the API has refused, or that it could not be asked: then `status` is 0. */
export class Problem extends Error {
    constructor({ status, title, hint }) {
        super(title);
        this.status = status;
        this.hint = hint;
    }
}

async function ask(url, options) {
    let response;
    try {
        response = await fetch(url, { credentials: 'same-origin', ...options });
    } catch (error) {
        if (error.name === 'AbortError') throw error;
        throw new Problem({ status: 0, title: error.message });
    }
    if (response.ok) return response;
    let problem = {};
    try { problem = await response.json(); } catch { /* A proxy answers with something else. */ }
    throw new Problem({ status: response.status, title: problem.title ?? response.statusText, hint: problem.hint });
}

/** Reads JSON. */
export async function get(path, query, signal) {
    return parse(await (await ask(address(path, query), { signal })).text());
}

/** JSON in which an integer that a double cannot hold stays as it is written: an epoch has 19 digits. */
function parse(text) {
    if (!/\d{16}/.test(text)) return JSON.parse(text);
    return JSON.parse(text, (_, value, context) => (
        Number.isInteger(value) && !Number.isSafeInteger(value) ? context?.source ?? value : value));
}

/** Reads bytes. */
export async function getBytes(path) {
    return new Uint8Array(await (await ask(address(path))).arrayBuffer());
}

/** Acts. Keys without a value are left out. */
export async function post(path, body = {}, method = 'POST') {
    const response = await ask(address(path), {
        method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    });
    const text = await response.text();
    return text ? JSON.parse(text) : null;
}

/** The path of a tube, whose name may have any character of a name. */
export const tubePath = (name) => `tubes/${encodeURIComponent(name)}`;
