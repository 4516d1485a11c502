import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** What IANA's registries keep for special purposes: private, loopback, link-local (clouds' metadata), shared, test, multicast. */
const SPECIAL_V4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ...["224.0.0.0/4", "240.0.0.0/4"],
];
/** All else of version 6 is special: loopback, unique local, link-local, mapped and translated version 4, multicast. */
const GLOBAL_V6 = ["2000::/3"];
/** Of those: Teredo and its like, documentation, 6to4. */
const SPECIAL_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

function listOf(ranges: readonly string[], type: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net, prefix] = range.split("/") as [string, string];
    list.addSubnet(net, Number(prefix), type);
  }
  return list;
}

const [specialV4, specialV6] = [listOf(SPECIAL_V4, "ipv4"), listOf(SPECIAL_V6, "ipv6")];
const globalV6 = listOf(GLOBAL_V6, "ipv6");

/** Whether an address is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !specialV4.check(address, "ipv4");
    case 6:
      return globalV6.check(address, "ipv6") && !specialV6.check(address, "ipv6");
    default:
      return false;
  }
}

export class NotPublic extends Error {
  constructor() {
    super("its address is not public (WEBHOOK_PRIVATE)");
  }
}

/** Throws NotPublic where a URL's host is such an address itself: those are never looked up. */
export function requirePublicHost({ hostname }: URL): void {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw new NotPublic();
}

/** For a connection: it is made to one of the addresses that were looked at, whatever the name says a moment later. */
export const lookUpPublic: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error !== null) return done(error, []);
    const addresses = found.filter(({ address }) => isPublicAddress(address));
    const [first] = addresses;
    if (first === undefined) return done(new NotPublic(), []);
    return options.all === true ? done(null, addresses) : done(null, first.address, first.family);
  });
};
