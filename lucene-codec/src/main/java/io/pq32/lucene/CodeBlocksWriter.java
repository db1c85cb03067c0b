package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import io.pq32.quantization.ProductQuantizer;
import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.store.IndexOutput;

/**
 * Writes codes as transposed blocks, in the order of ordinals. A code is given, or made from a
 * vector; the last block is padded with zeros.
 */
final class CodeBlocksWriter {
  private final IndexOutput out;
  private final ProductQuantizer.Encoder encoder;
  private final int codeBytes;
  private final byte[] rows; // [code][subQuantizer]
  private final byte[] block; // [subQuantizer][code]
  private final byte[] encoded;
  private final int[] pending; // rows that wait for the encoder
  private int filled;

  CodeBlocksWriter(ProductQuantizer quantizer, IndexOutput out) {
    this.out = out;
    this.encoder = quantizer.encoder();
    this.codeBytes = quantizer.layout().codeBytes();
    this.rows = new byte[PqKernels.BLOCK_SIZE * codeBytes];
    this.block = new byte[rows.length];
    this.encoded = new byte[encoder.capacity() * codeBytes];
    this.pending = new int[encoder.capacity()];
  }

  /** Adds the next vector, to be encoded. */
  void add(float[] vector) throws IOException {
    pending[encoder.count()] = filled;
    encoder.add(vector);
    if (encoder.count() == encoder.capacity()) {
      encodePending();
    }
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
    int count = encoder.flush(encoded, 0);
    for (int i = 0; i < count; i++) {
      System.arraycopy(encoded, i * codeBytes, rows, pending[i] * codeBytes, codeBytes);
    }
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
