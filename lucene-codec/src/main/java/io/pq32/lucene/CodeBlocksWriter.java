package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.ProjectionBatch;
import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.store.IndexOutput;

/**
 * Writes codes as transposed blocks, in the order of ordinals. A code is given, or made from a
 * vector; the last block is padded with zeros.
 */
final class CodeBlocksWriter {
  private final IndexOutput out;
  private final ProjectionBatch batch;
  private final int codeBytes;
  private final byte[] rows; // [code][subQuantizer]
  private final byte[] block; // [subQuantizer][code]
  private final byte[] encoded;
  private final int[] pending; // rows that wait to be encoded
  private int filled;

  CodeBlocksWriter(ProductQuantizer quantizer, IndexOutput out) {
    this.out = out;
    this.batch = quantizer.newBatch(PqKernels.BLOCK_SIZE);
    this.codeBytes = quantizer.layout().codeBytes();
    this.rows = new byte[PqKernels.BLOCK_SIZE * codeBytes];
    this.block = new byte[rows.length];
    this.encoded = new byte[batch.capacity() * codeBytes];
    this.pending = new int[batch.capacity()];
  }

  /** Adds the next vector, to be encoded. */
  void add(float[] vector) throws IOException {
    pending[batch.count()] = filled;
    batch.add(vector);
    advance();
  }

  /** Adds the next code as it is. */
  void addCode(byte[] code, int offset) throws IOException {
    System.arraycopy(code, offset, rows, filled * codeBytes, codeBytes);
    advance();
  }

  /** Writes what is left. */
  void finish() throws IOException {
    if (filled > 0) {
      Arrays.fill(rows, filled * codeBytes, rows.length, (byte) 0);
      writeBlock();
    }
  }

  private void advance() throws IOException {
    if (++filled == PqKernels.BLOCK_SIZE) {
      writeBlock();
    }
  }

  private void encodePending() {
    batch.project();
    batch.encode(encoded, 0);
    for (int i = 0; i < batch.count(); i++) {
      System.arraycopy(encoded, i * codeBytes, rows, pending[i] * codeBytes, codeBytes);
    }
    batch.clear();
  }

  private void writeBlock() throws IOException {
    encodePending();
    for (int i = 0; i < PqKernels.BLOCK_SIZE; i++) {
      for (int m = 0; m < codeBytes; m++) {
        block[m * PqKernels.BLOCK_SIZE + i] = rows[i * codeBytes + m];
      }
    }
    out.writeBytes(block, block.length);
    filled = 0;
  }
}
