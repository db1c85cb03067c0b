package io.pq32.lucene;

import java.lang.foreign.MemorySegment;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.IndexInput;

/** Which ordinals do the codes in blocks belong to? Read in place. Shareable. */
final class NodeOrds {
  private final BlocksLayout layout;
  private final PackedInts nodeToOrd;
  private final IndexInput file;

  /**
   * @param segment everything that {@link BlocksLayout} says
   * @param file to name when it is corrupt
   */
  NodeOrds(BlocksLayout layout, MemorySegment segment, IndexInput file) {
    this.layout = layout;
    this.nodeToOrd = new PackedInts(segment, layout.ords(), layout.ordWidth());
    this.file = file;
  }

  int ord(int node) throws CorruptIndexException {
    int ord = (int) nodeToOrd.get(node);
    if (ord >= layout.size()) {
      throw new CorruptIndexException(
          "node " + node + " of " + layout.size() + " has ordinal " + ord, file);
    }
    return ord;
  }

  /** Node of each ordinal, on the heap: for those who go through all of them. */
  int[] ordToNode() throws CorruptIndexException {
    int[] nodes = new int[layout.size()];
    for (int node = 0; node < nodes.length; node++) {
      nodes[ord(node)] = node;
    }
    return nodes;
  }
}
