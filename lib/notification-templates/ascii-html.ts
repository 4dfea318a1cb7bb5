/**
 * HTML in ASCII alone, which looks the same: CloudFormation is known to make question marks of
 * other characters in templates of SES, and only HTML and CSS can name them otherwise.
 */

const styleSheet = /(<style\b[^>]*>)([\s\S]*?)(<\/style>)/gi;

const beyondAscii = /[^\0-\x7f]/gu;

/**
 * Every character beyond ASCII as a character reference, or as an escape of CSS within a style
 * sheet.
 */
export function toAsciiHtml(html: string): string {
  return html
    .replace(
      styleSheet,
      (_, open: string, css: string, close: string) => open + escapeCss(css) + close,
    )
    .replace(beyondAscii, (character) => `&#${character.codePointAt(0)};`);
}

/** The space ends the escape and belongs to it (CSS Syntax 3, 4.3.7). */
function escapeCss(css: string): string {
  return css.replace(beyondAscii, (character) => `\\${character.codePointAt(0)?.toString(16)} `);
}
