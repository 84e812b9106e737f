// 100 calls by fetch: calls.mjs URL KEY. Or, with SECONDS as a third argument, calls without end by
// eight at a time for so long, every one of which must be answered.

const [url, key, seconds] = process.argv.slice(2);
const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
const calls = [
  ["actions/quote", { operation: "personas.generate", input: { count: 2 } }],
  ["projections/balance", { account_id: "clients" }],
];

async function call(number) {
  const [path, body] = calls[number % calls.length];
  const reply = await fetch(`${url}/v1/credits/${path}`, {
    method: "POST", headers, body: JSON.stringify(body),
  });
  const text = await reply.text();
  if (reply.status !== 200) throw new Error(`call ${number}: ${reply.status} ${text}`);
}

async function callUntil(end) {
  let count = 0;
  while (Date.now() < end) await call(count++);
  return count;
}

try {
  if (seconds === undefined) {
    for (let number = 0; number < 100; number++) await call(number);
  } else {
    const end = Date.now() + seconds * 1000;
    const counts = await Promise.all(Array.from({ length: 8 }, () => callUntil(end)));
    console.log(`${counts.reduce((sum, count) => sum + count)} calls answered`);
  }
} catch (error) {
  console.error(error.cause ? `${error.message}: ${error.cause.message}` : error.message);
  process.exit(1);
}
