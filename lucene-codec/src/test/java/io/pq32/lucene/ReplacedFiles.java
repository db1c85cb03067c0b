package io.pq32.lucene;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;

/** An index some of whose files have other bytes, or are missing. Closing it leaves the index. */
final class ReplacedFiles extends FilterDirectory {
  /** Bytes of a file that is missing. */
  static final byte[] MISSING = new byte[0];

  private final Directory scratch;
  private final Map<String, byte[]> replaced;

  /**
   * @param scratch an empty directory for the other bytes; emptied when this is closed
   */
  ReplacedFiles(Directory index, Directory scratch, Map<String, byte[]> replaced)
      throws IOException {
    super(index);
    this.scratch = scratch;
    this.replaced = replaced;
    for (Map.Entry<String, byte[]> file : replaced.entrySet()) {
      if (file.getValue() != MISSING) {
        write(scratch, file.getKey(), file.getValue());
      }
    }
  }

  private static void write(Directory directory, String name, byte[] bytes) throws IOException {
    try (IndexOutput out = directory.createOutput(name, IOContext.DEFAULT)) {
      out.writeBytes(bytes, bytes.length);
    }
  }

  /** The whole of a file. */
  static byte[] read(Directory directory, String name) throws IOException {
    try (IndexInput in = directory.openInput(name, IOContext.READONCE)) {
      byte[] bytes = new byte[Math.toIntExact(in.length())];
      in.readBytes(bytes, 0, bytes.length);
      return bytes;
    }
  }

  /** A file with the checksum of its bytes: damage that only the reader itself can find. */
  static byte[] withChecksum(byte[] file) {
    byte[] bytes = file.clone();
    int end = bytes.length - Long.BYTES;
    CRC32 crc = new CRC32();
    crc.update(bytes, 0, end);
    for (int i = 0; i < Long.BYTES; i++) {
      bytes[end + i] = (byte) (crc.getValue() >>> 8 * (Long.BYTES - 1 - i));
    }
    return bytes;
  }

  /** A file of the same header with other contents, and the footer that belongs to it. */
  static byte[] withBody(byte[] file, int headerLength, byte[] body) {
    int footer = CodecUtil.footerLength();
    byte[] bytes = Arrays.copyOf(file, headerLength + body.length + footer);
    System.arraycopy(body, 0, bytes, headerLength, body.length);
    System.arraycopy(file, file.length - footer, bytes, bytes.length - footer, footer);
    return withChecksum(bytes);
  }

  private boolean isMissing(String name) {
    return replaced.get(name) == MISSING;
  }

  @Override
  public String[] listAll() throws IOException {
    List<String> names = new ArrayList<>(Arrays.asList(super.listAll()));
    names.removeIf(this::isMissing);
    return names.toArray(String[]::new);
  }

  @Override
  public IndexInput openInput(String name, IOContext context) throws IOException {
    if (isMissing(name)) {
      throw new NoSuchFileException(name);
    }
    return replaced.containsKey(name)
        ? scratch.openInput(name, context)
        : super.openInput(name, context);
  }

  @Override
  public long fileLength(String name) throws IOException {
    if (isMissing(name)) {
      throw new NoSuchFileException(name);
    }
    return replaced.containsKey(name) ? scratch.fileLength(name) : super.fileLength(name);
  }

  /** An index of its own with these files, to be written to. */
  void copyTo(Directory target) throws IOException {
    for (String name : listAll()) {
      if (!name.equals("write.lock")) {
        write(target, name, read(this, name));
      }
    }
  }

  @Override
  public void close() throws IOException {
    for (String name : scratch.listAll()) {
      scratch.deleteFile(name);
    }
  }
}
