package io.pq32.lucene;

import java.io.EOFException;
import java.io.IOException;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.IndexFileNames;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.store.ChecksumIndexInput;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.util.IOUtils;

/**
 * Which files does a segment of ours have? Extensions are ones Elasticsearch memory-maps; the codec
 * name in the header tells our files from those of Lucene's formats with the same extension.
 */
enum SegmentFile {
  /** What the codes file holds for each field. */
  CODES_META("vemq", "Pq32CodesMeta"),
  /** Codebooks and codes. */
  CODES("veq", "Pq32Codes"),
  /** What the graph file holds for each field. */
  GRAPH_META("vem", "Pq32GraphMeta"),
  /** Neighbor lists. */
  GRAPH("vex", "Pq32Graph");

  /** First version of all four files. */
  static final int VERSION_START = 0;

  /** The version written. */
  static final int VERSION_CURRENT = VERSION_START;

  /** Our regions start at multiples of this: the width of the widest register. */
  static final int ALIGNMENT = 64;

  private final String extension;
  private final String codecName;

  SegmentFile(String extension, String codecName) {
    this.extension = extension;
    this.codecName = codecName;
  }

  String extension() {
    return extension;
  }

  String codecName() {
    return codecName;
  }

  private String fileName(String segment, String suffix) {
    return IndexFileNames.segmentFileName(segment, suffix, extension);
  }

  /** Creates the file and writes its header. */
  IndexOutput create(SegmentWriteState state) throws IOException {
    IndexOutput out =
        state.directory.createOutput(
            fileName(state.segmentInfo.name, state.segmentSuffix), state.context);
    try {
      CodecUtil.writeIndexHeader(
          out, codecName, VERSION_CURRENT, state.segmentInfo.getId(), state.segmentSuffix);
      return out;
    } catch (Throwable t) {
      IOUtils.closeWhileSuppressingExceptions(t, out);
      throw t;
    }
  }

  /** Opens a data file after checking its header, and that its footer is there. */
  IndexInput open(SegmentReadState state, int metaVersion, IOContext context) throws IOException {
    IndexInput in =
        state.directory.openInput(fileName(state.segmentInfo.name, state.segmentSuffix), context);
    try {
      long least = headerLength(state) + CodecUtil.footerLength();
      if (in.length() < least) {
        throw new CorruptIndexException(
            codecName + " should have at least " + least + " bytes and has " + in.length(), in);
      }
      int version =
          CodecUtil.checkIndexHeader(
              in,
              codecName,
              VERSION_START,
              VERSION_CURRENT,
              state.segmentInfo.getId(),
              state.segmentSuffix);
      if (version != metaVersion) {
        throw new CorruptIndexException(
            "version of " + codecName + " is " + version + " where its meta says " + metaVersion,
            in);
      }
      CodecUtil.retrieveChecksum(in);
      return in;
    } catch (EOFException e) {
      CorruptIndexException corruption = endsEarly(in, e);
      IOUtils.closeWhileSuppressingExceptions(corruption, in);
      throw corruption;
    } catch (Throwable t) {
      IOUtils.closeWhileSuppressingExceptions(t, in);
      throw t;
    }
  }

  /** A file that ends is no error of input and output, which may pass. */
  private CorruptIndexException endsEarly(IndexInput in, EOFException e) {
    return new CorruptIndexException(
        codecName + " should go on and ends at " + in.length() + " bytes", in, e);
  }

  long headerLength(SegmentReadState state) {
    return CodecUtil.indexHeaderLength(codecName, state.segmentSuffix);
  }

  /** Reads a whole meta file between header and footer, and returns its version. */
  int readMeta(SegmentReadState state, MetaReader reader) throws IOException {
    String name = fileName(state.segmentInfo.name, state.segmentSuffix);
    try (ChecksumIndexInput in = state.directory.openChecksumInput(name)) {
      Throwable failure = null;
      int version = -1;
      try {
        version =
            CodecUtil.checkIndexHeader(
                in,
                codecName,
                VERSION_START,
                VERSION_CURRENT,
                state.segmentInfo.getId(),
                state.segmentSuffix);
        reader.read(in);
      } catch (EOFException e) {
        failure = endsEarly(in, e);
      } catch (Throwable t) {
        failure = t;
      } finally {
        // When the checksum is wrong too, that is the error reported and the failure is attached.
        CodecUtil.checkFooter(in, failure);
      }
      return version;
    }
  }

  /** Reads the entries of a meta file. */
  @FunctionalInterface
  interface MetaReader {
    void read(ChecksumIndexInput in) throws IOException;
  }
}
