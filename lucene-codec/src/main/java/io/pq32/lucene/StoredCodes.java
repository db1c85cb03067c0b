package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.PqKernels;
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
  private static final Map<String, WeakReference<ProductQuantizer>> IN_USE =
      new ConcurrentHashMap<>();

  private final CodesMeta.Codes meta;
  private final IndexInput file;
  private final MappedRegion region;
  private ProductQuantizer quantizer; // read at first use

  StoredCodes(CodesMeta.Codes meta, IndexInput file) throws IOException {
    this.meta = meta;
    this.file = file;
    this.region = new MappedRegion(file, "codes", meta.codesOffset(), meta.codesLength());
  }

  CodesMeta.Codes meta() {
    return meta;
  }

  MappedRegion region() {
    return region;
  }

  Codebook codebook() throws IOException {
    return new Codebook(meta.codebookId(), quantizer(), meta.trainedDistortion());
  }

  synchronized ProductQuantizer quantizer() throws IOException {
    if (quantizer == null) {
      WeakReference<ProductQuantizer> shared = IN_USE.get(meta.codebookId());
      ProductQuantizer found = shared == null ? null : shared.get();
      if (found == null
          || found.metric() != meta.similarity().metric()
          || !found.layout().equals(meta.layout())) {
        found = read();
        IN_USE.values().removeIf(reference -> reference.get() == null);
        IN_USE.put(meta.codebookId(), new WeakReference<>(found));
      }
      quantizer = found;
    }
    return quantizer;
  }

  private ProductQuantizer read() throws IOException {
    IndexInput in = file.slice("codebook", meta.codebookOffset(), meta.codebookLength());
    byte[] bytes = new byte[Math.toIntExact(meta.codebookLength())];
    in.readBytes(bytes, 0, bytes.length);
    String id = ProductQuantizer.id(bytes);
    if (!id.equals(meta.codebookId())) {
      throw new CorruptIndexException(
          "codebook should have the identity " + meta.codebookId() + " and has " + id, file);
    }
    try {
      return ProductQuantizer.fromBytes(meta.layout(), meta.similarity().metric(), bytes);
    } catch (IllegalArgumentException e) {
      throw new CorruptIndexException("bad codebook: " + e.getMessage(), file, e);
    }
  }

  Cursor cursor() {
    return new Cursor();
  }

  /** Reads single codes, in any order; best in ascending order. */
  final class Cursor {
    private final int codeBytes = meta.layout().codeBytes();
    private final int pieceLength =
        switch (meta.arrangement()) {
          case BLOCKS -> codeBytes * PqKernels.BLOCK_SIZE;
          case ROWS -> codeBytes;
        };
    private final MappedRegion.Cursor cursor = region.cursor(pieceLength);
    private long piece = -1;
    private MemorySegment segment;

    private Cursor() {}

    /** Copies one code. */
    void copy(int ord, byte[] code) throws IOException {
      int perPiece = pieceLength / codeBytes;
      if (piece != ord / perPiece) {
        piece = ord / perPiece;
        segment = cursor.read(piece * pieceLength, pieceLength);
      }
      long first = cursor.base(piece * pieceLength) + ord % perPiece;
      for (int m = 0; m < codeBytes; m++) {
        code[m] = segment.get(JAVA_BYTE, first + (long) m * perPiece);
      }
    }
  }
}
