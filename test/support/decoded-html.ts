/** HTML with its numeric character references read, as a mail client shows it. */
export function decodeHtml(html: string): string {
  return html.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
}
