/**
 * Text as HTML shows it: the one escaping for element content and quoted attributes, in mail and
 * page alike, and what keeps programs from making more of a text than it is.
 */

/**
 * Asks programs to make nothing that can be tapped of numbers, dates and addresses they find; the
 * mails have it as well.
 */
export const noDetection =
  '<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">';

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** The text with every character that HTML gives a meaning replaced by its reference. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
