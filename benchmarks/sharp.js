// Does with sharp what is asked on standard input, a line of JSON each, and answers with the milliseconds it took.
"use strict";
const fs = require("fs");
const readline = require("readline");
const sharp = require("sharp");

sharp.concurrency(1);
sharp.cache(false);
const jpeg = { quality: 100, chromaSubsampling: "4:2:0" };
const tasks = {
  sizes: async (data) => {
    for (const width of [100, 500, 1000]) {
      await sharp(data).rotate().resize({ width, kernel: "lanczos3" }).jpeg(jpeg).toBuffer();
    }
  },
  reencoded: (data) => sharp(data).rotate().jpeg(jpeg).toBuffer(),
};
const files = new Map();

(async () => {
  console.log("ready");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { task, file } = JSON.parse(line);
    if (!files.has(file)) files.set(file, fs.readFileSync(file));
    const started = process.hrtime.bigint();
    await tasks[task](files.get(file));
    console.log(Number(process.hrtime.bigint() - started) / 1e6);
  }
})();
