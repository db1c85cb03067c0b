package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.Metric;
import io.pq32.quantization.PqKernels;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.ProjectionBatch;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Takes the codes of a field in the order of ordinals, to memory. A code is given, or made from a
 * vector; vectors are encoded in batches.
 */
final class CodeSink {
  private final ProjectionBatch batch;
  private final byte[] encoded;
  private final int[] pending = new int[PqKernels.BLOCK_SIZE]; // rows that wait to be encoded
  private final Outliers outliers; // null where distances or angles decide, which codes can tell
  private int filled;

  private final int codeBytes;
  private final byte[] rows; // [code][subQuantizer]
  private final MemorySegment out;
  private long position;

  /**
   * @param out receives {@code [ord][subQuantizer]}
   */
  CodeSink(ProductQuantizer quantizer, MemorySegment out) {
    int size = Math.toIntExact(out.byteSize() / quantizer.layout().codeBytes());
    this.outliers = quantizer.metric() == Metric.DOT_PRODUCT ? new Outliers(size) : null;
    this.batch = quantizer.newBatch(PqKernels.BLOCK_SIZE);
    this.codeBytes = quantizer.layout().codeBytes();
    this.rows = new byte[PqKernels.BLOCK_SIZE * codeBytes];
    this.encoded = new byte[rows.length];
    this.out = out;
  }

  /** Adds the next vector, to be encoded. */
  void add(float[] vector) throws IOException {
    pending[batch.count()] = filled;
    batch.add(vector);
    advance();
  }

  /** Adds the next code as it is: that of a vector which is no outlier. */
  void addCode(byte[] code) throws IOException {
    System.arraycopy(code, 0, rows, filled * codeBytes, codeBytes);
    advance();
  }

  /** Passes on what is left. */
  void finish() throws IOException {
    if (filled > 0) {
      passOn();
    }
  }

  /** Of the vectors that were added, ascending ordinals of those too long for their codes. */
  int[] outliers() {
    return outliers == null ? new int[0] : outliers.ords();
  }

  private void advance() throws IOException {
    if (++filled == PqKernels.BLOCK_SIZE) {
      passOn();
    }
  }

  private void passOn() throws IOException {
    batch.project();
    batch.encode(encoded, 0);
    for (int i = 0; i < batch.count(); i++) {
      System.arraycopy(encoded, i * codeBytes, rows, pending[i] * codeBytes, codeBytes);
      if (outliers != null) {
        outliers.consider((int) (position / codeBytes) + pending[i], batch.reach(i));
      }
    }
    batch.clear();
    int length = filled * codeBytes;
    MemorySegment.copy(rows, 0, out, JAVA_BYTE, position, length);
    position += length;
    filled = 0;
  }
}
