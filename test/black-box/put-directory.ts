/**
 * The one write to a deployment that is not the provider's own protocol: its directory file, by its
 * control address.
 */

/** PUTs a directory file to a control address. @throws if it is refused */
export async function putDirectory(control: string, directory: object): Promise<void> {
  const response = await fetch(control, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(directory),
  });
  if (!response.ok) throw new Error(`PUT ${control}: ${response.status} ${await response.text()}`);
}
