import { Document, visit } from "yaml";

/** What fits on part of a line stands on one. */
export function toYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Collection(_key, node) {
      if (JSON.stringify(node).length > 120) return;
      node.flow = true;
      return visit.SKIP;
    },
  });
  return document.toString({ lineWidth: 160, flowCollectionPadding: false, indent: 1, indentSeq: false });
}
