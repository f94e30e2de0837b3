// A cell as a field of CSV (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe.
function field(text) {
  const isFormula = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text));
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function tableCsv(table) {
  const lines = [...table.rows].map((row) => [...row.cells].map((cell) => field(cell.textContent)).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

export function downloadTable(figure) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([tableCsv(figure.querySelector('table'))], { type: 'text/csv' }));
  link.download = `${figure.id}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}
