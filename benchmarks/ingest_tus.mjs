// The tus server that ingest.py compares with: `node ingest_tus.mjs FOLDER PORT`, beside its node_modules.
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [folder, port] = process.argv.slice(2);
new Server({ path: "/files", datastore: new FileStore({ directory: folder }) }).listen({ host: "127.0.0.1", port });
