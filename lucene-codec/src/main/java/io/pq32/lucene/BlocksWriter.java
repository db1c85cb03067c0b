package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.PqKernels;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.ProductSpread;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.apache.lucene.store.IndexOutput;

/** Writes codes to be scanned the way {@link CodeBlocks} reads them. */
final class BlocksWriter {
  private BlocksWriter() {}

  /** Takes one transposed block after the other: those of codes, then those of heads. */
  @FunctionalInterface
  private interface BlockConsumer {
    void accept(byte[] block) throws IOException;
  }

  /**
   * Writes.
   *
   * @param codes {@code [ord][subQuantizer]}
   */
  static void write(
      IndexOutput out, ProductQuantizer quantizer, MemorySegment codes, int[] nodeToOrd)
      throws IOException {
    BlocksLayout layout = BlocksLayout.of(nodeToOrd.length, quantizer.layout(), quantizer.metric());
    float[] spreads =
        makeBlocks(
            layout, quantizer, codes, nodeToOrd, block -> out.writeBytes(block, block.length));
    for (float spread : spreads) {
      out.writeInt(Float.floatToIntBits(spread));
    }
    PackedInts.write(out, nodeToOrd.length, layout.ordWidth(), node -> nodeToOrd[node]);
    int[] blockOfOrd = new int[nodeToOrd.length];
    for (int node = 0; node < nodeToOrd.length; node++) {
      blockOfOrd[nodeToOrd[node]] = node / PqKernels.BLOCK_SIZE;
    }
    PackedInts.write(out, nodeToOrd.length, layout.blockWidth(), ord -> blockOfOrd[ord]);
  }

  /**
   * Lays out codes and heads in memory, as they would be in a file, without spreads.
   *
   * @param codes {@code [ord][subQuantizer]}
   */
  static CodeBlocks inMemory(
      Arena arena, ProductQuantizer quantizer, MemorySegment codes, int[] nodeToOrd)
      throws IOException {
    BlocksLayout layout = new BlocksLayout(nodeToOrd.length, quantizer.layout().codeBytes(), false);
    MemorySegment memory = arena.allocate(layout.ords(), SegmentFile.ALIGNMENT);
    long[] position = {0};
    makeBlocks(
        layout,
        quantizer,
        codes,
        nodeToOrd,
        block -> {
          MemorySegment.copy(block, 0, memory, JAVA_BYTE, position[0], block.length);
          position[0] += block.length;
        });
    return new CodeBlocks(layout, memory);
  }

  /** Returns the spreads of the blocks, none if the layout has none. */
  private static float[] makeBlocks(
      BlocksLayout layout,
      ProductQuantizer quantizer,
      MemorySegment codes,
      int[] nodeToOrd,
      BlockConsumer out)
      throws IOException {
    byte[] heads = new byte[layout.blocks() * layout.codeBytes()];
    byte[] rows = new byte[layout.blockLength()];
    float[] spreads = new float[layout.spreads() ? layout.blocks() : 0];
    ProductSpread spread = layout.spreads() ? new ProductSpread(quantizer) : null;
    for (int block = 0; block < layout.blocks(); block++) {
      int first = block * PqKernels.BLOCK_SIZE;
      int count = Math.min(PqKernels.BLOCK_SIZE, nodeToOrd.length - first);
      for (int i = 0; i < count; i++) {
        long from = (long) nodeToOrd[first + i] * layout.codeBytes();
        MemorySegment.copy(
            codes, JAVA_BYTE, from, rows, i * layout.codeBytes(), layout.codeBytes());
      }
      float[] mean = mean(quantizer, rows, count);
      quantizer.encodeProjected(mean, 0, heads, block * layout.codeBytes());
      if (layout.spreads()) {
        spreads[block] = spread.of(rows, count, mean);
      }
      out.accept(transposed(rows, count, layout));
    }
    for (int first = 0; first < layout.blocks(); first += PqKernels.BLOCK_SIZE) {
      int count = Math.min(PqKernels.BLOCK_SIZE, layout.blocks() - first);
      int length = count * layout.codeBytes();
      System.arraycopy(heads, first * layout.codeBytes(), rows, 0, length);
      out.accept(transposed(rows, count, layout));
    }
    return spreads;
  }

  /** The mean of the points that some codes stand for. */
  private static float[] mean(ProductQuantizer quantizer, byte[] rows, int count) {
    float[] mean = new float[quantizer.layout().projectedDimension()];
    for (int i = 0; i < count; i++) {
      quantizer.addDecodedTo(rows, i * quantizer.layout().codeBytes(), mean, 0);
    }
    for (int i = 0; i < mean.length; i++) {
      mean[i] /= count;
    }
    return mean;
  }

  private static byte[] transposed(byte[] rows, int count, BlocksLayout layout) {
    Arrays.fill(rows, count * layout.codeBytes(), rows.length, (byte) 0);
    byte[] block = new byte[rows.length];
    transpose(rows, layout.codeBytes(), block, 0);
    return block;
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
