/**
 * Prints the size of every bundle in a synthesized assembly (`cdk.out` unless another folder is
 * named), and fails if one is above its limit.
 */
import { measureBundles } from '../lib/stack/bundle-sizes.ts';

const [assembly = 'cdk.out'] = process.argv.slice(2);

for (const { handler, bytes, limit } of measureBundles(assembly)) {
  const size = `${(bytes / 1000).toFixed(1)} KB of ${limit / 1000} KB`;
  console.log(`${handler.padEnd(28)}${size.padStart(20)}${bytes > limit ? '  too large' : ''}`);
  if (bytes > limit) process.exitCode = 1;
}
