// Light or dark: the system's, until the reader chooses.

const KEY = 'sequela-report-theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');

// Pages from files may not store anything.
function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function store(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then it lasts as long as the page.
  }
}

function current() {
  return document.documentElement.dataset.theme ?? (system.matches ? 'dark' : 'light');
}

// Makes `button` the switch; `changed` is called after each change.
export function followTheme(button, changed) {
  const show = () => {
    button.textContent = current() === 'dark' ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Switch to ${current() === 'dark' ? 'light' : 'dark'} colours`);
  };
  const chosen = stored();
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  button.hidden = false;
  show();
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = current() === 'dark' ? 'light' : 'dark';
    store(document.documentElement.dataset.theme);
    show();
    changed();
  });
  system.addEventListener('change', () => {
    show();
    changed();
  });
}

// Light colours until the function that it returns is called.
export function forceLight() {
  const root = document.documentElement;
  const before = root.dataset.theme;
  root.dataset.theme = 'light';
  return () => {
    if (before === undefined) delete root.dataset.theme;
    else root.dataset.theme = before;
  };
}

// The page's colours as its style says them now.
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: of('text'),
    muted: of('muted'),
    line: of('line'),
    panel: of('panel'),
    series: [1, 2, 3, 4, 5, 6, 7, 8].map((i) => of(`series-${i}`)),
  };
}
