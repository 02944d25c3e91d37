// Sets the theme that was chosen before the first paint. A classic script: a module would run after it.
(function () {
    'use strict';
    var themes = ['auto', 'light', 'dark'];
    function stored() {
        try {
            var theme = localStorage.getItem('beanrow-theme');
            return themes.indexOf(theme) < 0 ? 'auto' : theme;
        } catch (error) {
            return 'auto';
        }
    }
    function set(theme) {
        document.documentElement.dataset.theme = theme;
        try { localStorage.setItem('beanrow-theme', theme); } catch (error) { /* It holds until the page is left. */ }
    }
    document.documentElement.dataset.theme = stored();
    window.beanrowTheme = {
        current: function () { return document.documentElement.dataset.theme; },
        next: function () {
            var next = themes[(themes.indexOf(this.current()) + 1) % themes.length];
            set(next);
            return next;
        },
    };
}());
