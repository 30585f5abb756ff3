#!/usr/bin/env node
// A shop that speaks Shopify's Admin GraphQL: every document is validated against Shopify's own schema, read from the
// introspection that is carried in tests/fixtures/connectors/shopify, and executed by the reference implementation.
//
//   node shopify.mjs INTROSPECTION.json.gz      prints its address on one line
//
// `graphql` is looked for in the folder that LINKSTAR_SHOPIFY names (tests/run.sh fills it).
//   POST /shop   {orders: [...], locations: {ID: [levels]}}   what the shop holds
//   POST /play   {throttled: 2, server_errors: 1, bulk: "FAILED", drop: 3, cut: true}   what goes wrong next
//   GET  /asked  every GraphQL document that came, outer and inner, with what validation said
import { createRequire } from "node:module";
import fs from "node:fs";
import http from "node:http";
import zlib from "node:zlib";

const require = createRequire((process.env.LINKSTAR_SHOPIFY || process.cwd()) + "/");
const { buildClientSchema, execute, parse, validate, visit, visitWithTypeInfo, TypeInfo } = require("graphql");

const introspection = JSON.parse(zlib.gunzipSync(fs.readFileSync(process.argv[2])));
const schema = buildClientSchema(introspection.data ?? introspection);

let shop = { orders: [], locations: {} };
let play = {};
let asked = [];
let bulks = new Map();
const bucket = { maximumAvailable: 2000, currentlyAvailable: 2000, restoreRate: 100 };

const page = (nodes, { first, after }) => {
  // Shopify takes no empty cursor.
  if (after === "") throw new Error("after is no cursor");
  if (first > 250) throw new Error("first is at most 250");
  const start = after ? Number(after.slice(1)) : 0;
  const some = first === undefined ? nodes : nodes.slice(start, start + first);
  const end = start + some.length;
  return {
    nodes: some,
    edges: some.map((node) => ({ node })),
    pageInfo: { hasNextPage: end < nodes.length, endCursor: some.length ? "c" + end : null },
  };
};

const connection = (nodes) => (args) => page(nodes, args);

function order(data) {
  return { ...data, lineItems: connection(data.lines.map((line) => ({ variant: null, ...line }))) };
}

function changed(query) {
  const from = /updated_at:>='([^']+)'/.exec(query ?? "")?.[1];
  const to = /updated_at:<'([^']+)'/.exec(query ?? "")?.[1];
  return shop.orders
    .filter((one) => (!from || Date.parse(one.updatedAt) >= Date.parse(from)) && (!to || Date.parse(one.updatedAt) < Date.parse(to)))
    .map(order);
}

const root = {
  orders: (args) => page(changed(args.query), args),
  location: ({ id }) => {
    const levels = shop.locations[id];
    if (!levels) return null;
    return {
      id,
      inventoryLevels: connection(
        levels.map(({ item, quantities }) => ({
          item: { tracked: true, ...item },
          quantities: ({ names }) => names.filter((name) => name in quantities).map((name) => ({ name, quantity: quantities[name] })),
        })),
      ),
    };
  },
  bulkOperation: ({ id }) => bulks.get(id)?.told ?? null,
  bulkOperationRunQuery: ({ query }) => begin(query),
};

// One line per object; those of inner connections name their parent.
function lines(value, parent, out) {
  const own = {};
  const below = [];
  for (const [name, field] of Object.entries(value)) {
    if (field && Array.isArray(field.edges)) below.push(...field.edges.map((edge) => edge.node));
    else own[name] = field;
  }
  if (parent) own.__parentId = parent;
  out.push(own);
  for (const child of below) lines(child, own.id, out);
}

function begin(query) {
  const refused = (message) => ({ bulkOperation: null, userErrors: [{ field: ["query"], message }] });
  let document;
  try {
    document = parse(query);
  } catch (error) {
    asked.push({ inner: query, errors: [String(error)] });
    return refused(String(error));
  }
  const errors = validate(schema, document).map((error) => error.message);
  asked.push({ inner: query, errors });
  if (errors.length) return refused(errors.join("; "));
  let connections = 0;
  const types = new TypeInfo(schema);
  visit(document, visitWithTypeInfo(types, { Field() { if (/Connection!?$/.test(String(types.getType()))) connections += 1; } }));
  if (!connections) return refused("Bulk queries must contain at least one connection.");
  if (connections > 5) return refused("Bulk queries cannot contain more than 5 connections.");
  const result = execute({ schema, document, rootValue: root });
  const out = [];
  for (const top of Object.values(result.data)) for (const edge of top.edges) lines(edge.node, null, out);
  const id = `gid://shopify/BulkOperation/${bulks.size + 1}`;
  const status = play.bulk ?? "COMPLETED";
  const count = out.length;
  const kept = out.slice(0, count - (play.drop ?? 0));
  const told = {
    id,
    status: bulks.size === 0 && status === "COMPLETED" ? "RUNNING" : status,
    errorCode: status === "FAILED" ? "INTERNAL_SERVER_ERROR" : null,
    objectCount: String(count),
    url: status === "COMPLETED" && count ? `${address}/result/${bulks.size + 1}.jsonl` : null,
  };
  bulks.set(id, { told, body: kept.map((line) => JSON.stringify(line) + "\n").join("") });
  // A first look finds it running, the next one done.
  if (told.status === "RUNNING") setTimeout(() => { told.status = status; }, 5);
  return { bulkOperation: { id, status: "CREATED" }, userErrors: [] };
}

// A point for each object that may come, lists inside lists multiplied; one question may cost a thousand.
const MOST = 1000;
const WRAPPING = new Set(["nodes", "edges", "node", "pageInfo"]);

function cost(document) {
  let points = 0;
  const sizes = [1];
  visit(document, {
    Field: {
      enter(field) {
        const first = field.arguments?.find((argument) => argument.name.value === "first");
        const size = sizes.at(-1) * (first?.value.kind === "IntValue" ? Number(first.value.value) : 1);
        sizes.push(size);
        if (field.selectionSet && !WRAPPING.has(field.name.value)) points += size;
      },
      leave() {
        sizes.pop();
      },
    },
  });
  return points;
}

function graphql(body) {
  const { query, variables } = JSON.parse(body);
  let document;
  try {
    document = parse(query);
  } catch (error) {
    asked.push({ query, errors: [String(error)] });
    return { errors: [{ message: String(error) }] };
  }
  const errors = validate(schema, document).map((error) => error.message);
  asked.push({ query, variables, errors });
  if (errors.length) return { errors: errors.map((message) => ({ message })) };
  const points = cost(document);
  if (points > MOST) {
    const message = `Query cost is ${points}, which exceeds the single query max cost limit (${MOST}).`;
    return { errors: [{ message, extensions: { code: "MAX_COST_EXCEEDED" } }] };
  }
  const extensions = (left) => ({
    cost: { requestedQueryCost: points, actualQueryCost: points, throttleStatus: { ...bucket, currentlyAvailable: left } },
  });
  if (play.throttled > 0) {
    play.throttled -= 1;
    return { errors: [{ message: "Throttled", extensions: { code: "THROTTLED" } }], extensions: extensions(0) };
  }
  if (play.server_errors > 0) {
    play.server_errors -= 1;
    return { errors: [{ message: "Internal error", extensions: { code: "INTERNAL_SERVER_ERROR" } }], data: null };
  }
  const result = execute({ schema, document, rootValue: root, variableValues: variables });
  return { ...result, extensions: extensions(bucket.maximumAvailable - points) };
}

let address = "";
const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (data) => (body += data));
  request.on("end", () => {
    const json = (value) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(value));
    };
    try {
      if (request.url === "/shop") {
        shop = JSON.parse(body);
        return json({});
      }
      if (request.url === "/play") {
        play = JSON.parse(body);
        return json({});
      }
      if (request.url === "/asked") {
        const all = asked;
        asked = [];
        return json(all);
      }
      const result = /^\/result\/(\d+)\.jsonl$/.exec(request.url);
      if (result) {
        const { body } = bulks.get(`gid://shopify/BulkOperation/${result[1]}`);
        if (request.headers["x-shopify-access-token"]) {
          response.statusCode = 400;
          return response.end("storage takes no token");
        }
        if (play.cut) {
          response.setHeader("content-length", Buffer.byteLength(body));
          response.write(body.slice(0, body.length / 2));
          return response.destroy();
        }
        return response.end(body);
      }
      if (request.url !== "/admin/api/2026-10/graphql.json") {
        response.statusCode = 404;
        return json({ errors: "Not Found" });
      }
      if (request.headers["x-shopify-access-token"] !== "s3cret-access_token") {
        response.statusCode = 401;
        return json({ errors: "[API] Invalid API key or access token" });
      }
      return json(graphql(body));
    } catch (error) {
      response.statusCode = 400;
      return json({ errors: [{ message: String(error) }] });
    }
  });
});
server.listen(0, "127.0.0.1", () => {
  address = `http://127.0.0.1:${server.address().port}`;
  console.log(address);
});
// Ends with who started it.
process.stdin.on("end", () => process.exit(0)).resume();
