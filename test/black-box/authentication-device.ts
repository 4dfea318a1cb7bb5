/**
 * An authentication device by hand: opens a mail's link and submits every input of the page's form,
 * as a browser would.
 */

/** A page as it was answered. */
export interface Page {
  status: number;
  headers: Headers;
  html: string;
}

export async function open(link: string, init: RequestInit = {}): Promise<Page> {
  const response = await fetch(link, { redirect: 'manual', ...init });
  return { status: response.status, headers: response.headers, html: await response.text() };
}

/** The hidden inputs of the page's form. */
export function hiddenInputs({ html }: Page): Record<string, string> {
  const inputs = html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g);
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value]));
}

/** Submits the form of an opened page, with what was typed into it. */
export function submit(
  link: string,
  page: Page,
  decision: string,
  headers: Record<string, string> = {},
  typed: Record<string, string> = {},
): Promise<Page> {
  const body = new URLSearchParams({ ...hiddenInputs(page), ...typed, decision });
  return open(link, { method: 'POST', body, headers });
}

/** Opens the link and decides. */
export async function decide(link: string, decision: 'approve' | 'deny' | 'report'): Promise<Page> {
  return submit(link, await open(link), decision);
}

/** The heading of a page. */
export function headingOf({ html }: Page): string {
  return /<h1>(.*?)<\/h1>/.exec(html)?.[1] ?? '';
}

/** The addresses of the images on a page, as they stand there. */
export function imagesOf({ html }: Pick<Page, 'html'>): string[] {
  return [...html.matchAll(/<img\b[^>]*\bsrc="([^"]*)"/g)].map(([, source = '']) => source);
}
