// What ONNX Runtime takes to load a model and to run it once, for scripts/bench_peers: run it in a folder where the
// package onnxruntime-node is installed.
//
//   node ort_session.mjs MODEL.onnx [threads=1]
//
// Prints one JSON line: create_ms (of the session, its library being loaded already), and idle_kib and peak_kib, the
// most memory that the process had resident before that library was loaded and after the run.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const peakKib = () => Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1]);
const [model, threads = '1'] = process.argv.slice(2);
const idle = peakKib();
const ort = createRequire(join(process.cwd(), 'x.js'))('onnxruntime-node');
const start = process.hrtime.bigint();
const session = await ort.InferenceSession.create(model, {
  executionProviders: ['cpu'], intraOpNumThreads: Number(threads), interOpNumThreads: 1,
  executionMode: 'sequential', graphOptimizationLevel: 'all' });
const created = Number(process.hrtime.bigint() - start) / 1e6;
const feeds = {};
for (const info of session.inputMetadata) {
  const dims = info.shape.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 1));
  feeds[info.name] = new ort.Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b, 1)), dims);
}
await session.run(feeds);
console.log(JSON.stringify({ create_ms: created, idle_kib: idle, peak_kib: peakKib() }));
