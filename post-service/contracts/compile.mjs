// Compiles RecordTokens.sol into RecordTokens.json: see README.md beside it.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(`${process.cwd()}/`)("solc");
const folder = new URL(".", import.meta.url);
const file = "RecordTokens.sol";
const content = readFileSync(new URL(file, folder), "utf8");
const settings = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: "shanghai",
  // No hash of the source and no version behind the code: the same source gives the same bytes, wherever it lies.
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
};
const input = { language: "Solidity", sources: { [file]: { content } }, settings };
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const { formattedMessage } of output.errors ?? []) console.error(formattedMessage);
const compiled = output.contracts?.[file]?.RecordTokens;
if (output.errors?.length || !compiled) process.exit(1);
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
delete settings.outputSelection;
const bytecode = compiled.evm.bytecode.object;
const artefact = {
  contract: "RecordTokens",
  compiler: solc.version(),
  settings,
  source_sha256: sha256(content),
  bytecode_sha256: sha256(Buffer.from(bytecode, "hex")),
  abi: compiled.abi,
  bytecode: `0x${bytecode}`,
};
writeFileSync(new URL("RecordTokens.json", folder), `${JSON.stringify(artefact, null, 2)}\n`);
