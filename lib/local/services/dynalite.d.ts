/** The part of dynalite's interface that is used; the package brings no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** Folder of the database; in memory without it. */
    path?: string;
    createTableMs?: number;
    updateTableMs?: number;
    deleteTableMs?: number;
  }

  /** A server that does not listen yet; closing it closes the database. */
  export default function dynalite(options?: DynaliteOptions): Server;
}
