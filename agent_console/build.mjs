// Bundles the browser's scripts into static/bundle. Started by `npm run build`, after the type check.
import { build } from "esbuild";
import { rename, rm } from "node:fs/promises";

const out = "static/bundle";
const made = `${out}.${process.pid}`; // put in place at once: a console may be serving the former
await build({
  entryPoints: ["base", "seat", "board", "calls", "citizen", "plan", "wall"].map((name) => `web/${name}.ts`),
  outdir: made,
  bundle: true,
  splitting: true,
  chunkNames: "chunk-[hash]",
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "linked",
  // JsSIP's logging library asks for it; browsers have no process.
  define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
  logLevel: "warning",
});
await rm(out, { recursive: true, force: true });
await rename(made, out);
