// Copying, also over plain HTTP, where browsers offer no clipboard to pages.
import { h, setText } from './dom.js';
import { announce } from './notice.js';
import { t } from './texts.js';

/** Puts text on the clipboard, and says whether it did. */
export async function copy(text) {
    if (window.isSecureContext && navigator.clipboard) {
        try {
            await navigator.clipboard.writeText(text);
            return true;
        } catch { /* It may be forbidden; the old way may not. */ }
    }
    const area = h('textarea.unseen', { readonly: true, 'aria-hidden': 'true', value: text });
    const focused = document.activeElement;
    // A dialog makes everything outside of itself inert.
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const isDone = document.execCommand('copy');
    area.remove();
    focused?.focus();
    return isDone;
}

/** A button that copies `text`, which may be a function. */
export function copyButton(text, label = t.copy.copy) {
    const button = h('button.small', {}, label);
    button.addEventListener('click', async () => {
        const isDone = await copy(typeof text === 'function' ? text() : text);
        setText(button, isDone ? t.copy.copied : t.copy.failed);
        announce(isDone ? t.copy.copied : t.copy.failed);
        setTimeout(() => setText(button, label), 1500);
    });
    return button;
}
