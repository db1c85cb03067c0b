package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.ProductQuantizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.IndexInput;

/** The codes of one field in one segment, and the codebook they were made with. Shareable. */
final class StoredCodes {
  /**
   * Codebooks in use, by identity: segments that share one hold it once. It is a megabyte at 768
   * dimensions.
   */
  private static final Map<String, WeakReference<QueryTables>> IN_USE = new ConcurrentHashMap<>();

  private final String field;
  private final CodesMeta.Codes meta;
  private final IndexInput file;
  private final Region region;
  private volatile QueryTables tables; // read at first use

  /**
   * @param field to name when something is corrupt
   */
  StoredCodes(String field, CodesMeta.Codes meta, IndexInput file) throws IOException {
    this.field = field;
    this.meta = meta;
    this.file = file;
    this.region = new Region(file, "codes", meta.codesOffset(), meta.codesLength());
  }

  CodesMeta.Codes meta() {
    return meta;
  }

  /** The codes, as {@link CodesMeta.Codes#arrangement()} says. */
  MemorySegment segment() throws IOException {
    return region.segment();
  }

  Codebook codebook() throws IOException {
    return new Codebook(meta.codebookId(), quantizer(), meta.trainedDistortion());
  }

  ProductQuantizer quantizer() throws IOException {
    return tables().quantizer();
  }

  /** Tables of queries, shared with the segments of the same codebook. */
  QueryTables tables() throws IOException {
    QueryTables known = tables;
    return known == null ? firstTables() : known;
  }

  private synchronized QueryTables firstTables() throws IOException {
    if (tables == null) {
      WeakReference<QueryTables> shared = IN_USE.get(meta.codebookId());
      QueryTables found = shared == null ? null : shared.get();
      if (found == null
          || found.quantizer().metric() != meta.similarity().metric()
          || !found.quantizer().layout().equals(meta.layout())) {
        found = new QueryTables(read());
        IN_USE.values().removeIf(reference -> reference.get() == null);
        IN_USE.put(meta.codebookId(), new WeakReference<>(found));
      }
      tables = found;
    }
    return tables;
  }

  private ProductQuantizer read() throws IOException {
    IndexInput in = file.slice("codebook", meta.codebookOffset(), meta.codebookLength());
    byte[] bytes = new byte[Math.toIntExact(meta.codebookLength())];
    in.readBytes(bytes, 0, bytes.length);
    String id = ProductQuantizer.id(bytes);
    if (!id.equals(meta.codebookId())) {
      throw Corruption.of(field, "identity of the codebook", meta.codebookId(), id, file);
    }
    try {
      return ProductQuantizer.fromBytes(meta.layout(), meta.similarity().metric(), bytes);
    } catch (IllegalArgumentException e) {
      throw new CorruptIndexException(
          "codebook of field \"" + field + "\" should be finite: " + e.getMessage(), file, e);
    }
  }

  /** The codes, where they lie in blocks. */
  CodeBlocks blocks() throws IOException {
    return new CodeBlocks(meta.blocks(), segment());
  }

  /** Their ordinals. */
  NodeOrds blockOrds() throws IOException {
    return new NodeOrds(field, meta.blocks(), segment(), file);
  }

  /** Copies the code of a node, where they lie in rows. */
  void copyRow(int node, byte[] code) throws IOException {
    MemorySegment.copy(segment(), JAVA_BYTE, (long) node * code.length, code, 0, code.length);
  }
}
