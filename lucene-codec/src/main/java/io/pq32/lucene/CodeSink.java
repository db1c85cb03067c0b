package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.ProjectionBatch;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.apache.lucene.store.IndexOutput;

/**
 * Takes the codes of a field in the order of ordinals. A code is given, or made from a vector;
 * vectors are encoded in batches.
 */
abstract sealed class CodeSink {
  private final ProjectionBatch batch;
  private final byte[] encoded;
  private final int[] pending = new int[PqKernels.BLOCK_SIZE]; // rows that wait to be encoded
  private int filled;

  final int codeBytes;
  final byte[] rows; // [code][subQuantizer]

  private CodeSink(ProductQuantizer quantizer) {
    batch = quantizer.newBatch(PqKernels.BLOCK_SIZE);
    codeBytes = quantizer.layout().codeBytes();
    rows = new byte[PqKernels.BLOCK_SIZE * codeBytes];
    encoded = new byte[rows.length];
  }

  /** Adds the next vector, to be encoded. */
  final void add(float[] vector) throws IOException {
    pending[batch.count()] = filled;
    batch.add(vector);
    advance();
  }

  /** Adds the next code as it is. */
  final void addCode(byte[] code) throws IOException {
    System.arraycopy(code, 0, rows, filled * codeBytes, codeBytes);
    advance();
  }

  /** Passes on what is left. */
  final void finish() throws IOException {
    if (filled > 0) {
      passOn();
    }
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
    }
    batch.clear();
    accept(filled);
    filled = 0;
  }

  /** Takes the first {@code count} of {@link #rows}. */
  abstract void accept(int count) throws IOException;

  /** Writes transposed blocks, the last one padded with zeros. */
  static final class Blocks extends CodeSink {
    private final IndexOutput out;
    private final byte[] block;

    Blocks(ProductQuantizer quantizer, IndexOutput out) {
      super(quantizer);
      this.out = out;
      this.block = new byte[rows.length];
    }

    @Override
    void accept(int count) throws IOException {
      Arrays.fill(rows, count * codeBytes, rows.length, (byte) 0);
      transpose(rows, codeBytes, block, 0);
      out.writeBytes(block, block.length);
    }
  }

  /** Stores rows in memory. */
  static final class Rows extends CodeSink {
    private final MemorySegment out;
    private long position;

    Rows(ProductQuantizer quantizer, MemorySegment out) {
      super(quantizer);
      this.out = out;
    }

    @Override
    void accept(int count) {
      long length = (long) count * codeBytes;
      MemorySegment.copy(MemorySegment.ofArray(rows), 0, out, position, length);
      position += length;
    }
  }

  /** Turns {@code rows [code][subQuantizer]} of one block to {@code block [subQuantizer][code]}. */
  static void transpose(byte[] rows, int codeBytes, byte[] block, int blockOffset) {
    for (int i = 0; i < PqKernels.BLOCK_SIZE; i++) {
      for (int m = 0; m < codeBytes; m++) {
        block[blockOffset + m * PqKernels.BLOCK_SIZE + i] = rows[i * codeBytes + m];
      }
    }
  }
}
