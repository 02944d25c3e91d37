// Reads JSON and keeps every number as it is written: 18446744073709551615 and 12.500 stay so. `JSON.parse` would make
// doubles of them.

/** `{ kind, text }` of a scalar, `{ kind: 'array', items }`, `{ kind: 'object', entries: [[name, value]] }`; null: not JSON. */
export function parseExactly(text) {
    const token = /\s*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/y;
    let current = null;
    const next = () => {
        const found = token.exec(text);
        current = found && { sign: found[1], string: found[2], number: found[3], word: found[4] };
        return current;
    };
    try {
        next();
        const value = readValue(0);
        const rest = text.slice(token.lastIndex || text.length);
        return /^\s*$/.test(rest) ? value : null;
    } catch {
        return null;
    }

    /** Reads the value that begins with the current token; the current token is its last one afterwards. */
    function readValue(depth) {
        if (!current || depth > 200) throw new SyntaxError();
        if (current.string) return { kind: 'string', text: JSON.parse(current.string) };
        if (current.number) return { kind: 'number', text: current.number };
        if (current.word) return { kind: 'word', text: current.word };
        if (current.sign === '[') return readItems(']', depth, 'array');
        if (current.sign === '{') return readItems('}', depth, 'object');
        throw new SyntaxError();
    }

    function readItems(end, depth, kind) {
        const items = [];
        next();
        while (current?.sign !== end) {
            if (items.length) {
                expect(',');
                next();
            }
            items.push(kind === 'array' ? readValue(depth + 1) : readEntry(depth));
            next();
        }
        return kind === 'array' ? { kind, items } : { kind, entries: items };
    }

    function readEntry(depth) {
        if (!current?.string) throw new SyntaxError();
        const name = JSON.parse(current.string);
        next();
        expect(':');
        next();
        return [name, readValue(depth + 1)];
    }

    function expect(sign) {
        if (current?.sign !== sign) throw new SyntaxError();
    }
}
