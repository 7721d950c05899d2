// Bundles the browser's scripts into static/bundle. Started by `npm run build`, after the type check.
import { build } from "esbuild";
import { rm } from "node:fs/promises";

const out = "static/bundle";
await rm(out, { recursive: true, force: true });
await build({
  entryPoints: ["base", "seat", "board", "calls", "citizen", "plan", "wall"].map((name) => `web/${name}.ts`),
  outdir: out,
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
