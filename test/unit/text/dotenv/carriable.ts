/**
 * Which values a .env file can carry, told from dotenv's expression and our refusals alone, without the printer.
 */
export function isCarriable(value: string): boolean {
  if (!value.isWellFormed() || value.includes("\0")) {
    return false;
  }
  return fitsUnquoted(value) || fitsDouble(value) || fitsLiteral("'", value) || fitsLiteral("`", value);
}

function fitsUnquoted(value: string): boolean {
  return value.trim() === value && !/[\n\r\u2028\u2029#]/.test(value) && !/^['"`]/.test(value);
}

/** A line end or CR can be an escape here; a backslash cannot, so \n and \r as they stand do not fit. */
function fitsDouble(value: string): boolean {
  return !/\\[nr]/.test(value) && !/(?<!\\)"/.test(value);
}

/** Between ' or `: everything as it stands, with no way to write CR. */
function fitsLiteral(quote: string, value: string): boolean {
  const [first = "", ...below] = value.split("\n");
  const lines = [first, ...below];
  const lastLine = below.at(-1) ?? "";
  const mayEndBeforeLastLine = lines
    .slice(0, -1)
    .some((line) =>
      new RegExp(`\\\\${quote}\\s*(#|$)|\\\\${quote}[^\\S\u2028\u2029]*[\u2028\u2029]`).test(line),
    );
  return (
    !value.includes("\r") &&
    !new RegExp(`(?<!\\\\)${quote}`).test(value) &&
    !mayEndBeforeLastLine &&
    !(below.length > 0 && /^[ \t]*(export[ \t]+)?[A-Za-z_]\w*[ \t]*=[ \t]*$/.test(lastLine))
  );
}
