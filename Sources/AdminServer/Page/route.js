// The address of a screen is in the hash: #/tubes?sort=-ready. So the page works below any path.

/** The screen, the rest of its path, and its query. */
export function read() {
    const [path, query] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
    const [screen, ...rest] = path.split('/').map(decodeURIComponent);
    return { screen: screen || 'tubes', rest, query: Object.fromEntries(new URLSearchParams(query ?? '')) };
}

/** The hash for a screen. */
export function link(path, query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
    const text = new URLSearchParams(given).toString();
    return `#/${[path].flat().map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
}

/** Goes to a screen. */
export function go(path, query) {
    location.hash = link(path, query);
}

/** Remembers a query in the address without another entry in the history, and without showing the screen again. */
export function remember(path, query) {
    history.replaceState(null, '', link(path, query));
}
