/** XML as S3 and STS write it: elements and text, no attributes but a namespace. */

export function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\r", "&#13;");
}

/** <name>children</name>; the children are XML already. */
export function element(name: string, ...children: readonly string[]): string {
  return `<${name}>${children.join("")}</${name.split(" ")[0]}>`;
}

export function textElement(name: string, value: string | number | boolean): string {
  return element(name, escapeXml(String(value)));
}

/** One text element for each property, in order. */
export function textElements(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([name, value]) => textElement(name, value))
    .join("");
}

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
