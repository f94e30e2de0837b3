// The legend: a button a series, which hides and shows it. Made of HTML, so that it wraps, and keys reach it.
export function makeLegend(names, isShown, look, isLine, toggle) {
  const list = document.createElement('ul');
  list.className = 'legend';
  names.forEach((name, i) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-pressed', String(isShown(name)));
    const sign = document.createElement('span');
    sign.className = isLine ? 'sign' : 'sign block';
    if (isLine) sign.style.borderTop = `3px ${look(i).dash} ${look(i).colour}`;
    else sign.style.background = look(i).colour;
    button.append(sign, name);
    button.addEventListener('click', () => toggle(name));
    const item = document.createElement('li');
    item.append(button);
    list.append(item);
  });
  return list;
}
