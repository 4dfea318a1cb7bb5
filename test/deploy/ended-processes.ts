/**
 * The processes of a deploy run: each in a group of its own, and all gone when the run is over,
 * however it ends.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';

const running = new Set<ChildProcess>();

/** Starts a process that {@link endProcesses} ends together with whatever it has started. */
export function start(command: string, args: string[], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(command, args, { stdio: 'inherit', ...options, detached: true });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Runs a command to its end. @throws an error that names the command if it fails */
export async function run(
  command: string,
  args: string[],
  options: SpawnOptions = {},
): Promise<void> {
  const child = start(command, args, options);
  const [code] = await Promise.race([
    once(child, 'exit'),
    once(child, 'error').then(([error]) => Promise.reject(error)),
  ]);
  if (code !== 0) throw new Error(`${command} ${args.slice(0, 2).join(' ')} ended with ${code}`);
}

/** Ends every process that still runs, and its group. */
export function endProcesses(): void {
  for (const { pid } of running) if (pid !== undefined) endGroup(pid);
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

/**
 * Has a signal end the run with exit code 1, after what ends it: of every process, unless more is
 * said.
 */
export function endOnSignals(end: () => void | Promise<void> = endProcesses): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      await end();
      process.exit(1);
    });
  }
}
