package io.pq32.benchmarks;

import java.awt.Font;
import java.awt.font.FontRenderContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import org.knowm.xchart.ChartEncoder;

/** A file for the figures of a run, SVG or PNG as its name ends. */
final class PictureFile {
  static {
    // Nothing is shown on a screen, and there may be none. Counts only before AWT is first used.
    System.setProperty("java.awt.headless", "true");
  }

  private final Path path;
  private final String format;

  private PictureFile(Path path, String format) {
    this.path = path;
    this.format = format;
  }

  /** Checks what can be checked before there is a figure. */
  static PictureFile named(String option, Path path) {
    String name = path.getFileName() == null ? "" : path.getFileName().toString();
    String format = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    if (!format.equals("svg") && !format.equals("png")) {
      throw new BadInputException("%s must end in .svg or .png; got %s".formatted(option, path));
    }
    if (!Files.isDirectory(path.toAbsolutePath().getParent())) {
      throw new BadInputException("%s %s: no such folder".formatted(option, path));
    }
    if (!canDraw()) {
      throw new BadInputException(
          ("%s: Java finds no fonts on this system. Install fontconfig and a font, or draw"
                  + " elsewhere with 'plot' from what 'recall --json' wrote")
              .formatted(option));
    }
    return new PictureFile(path, format);
  }

  /** Whether there are fonts: a JDK brings none, and a small system has none. */
  static boolean canDraw() {
    try {
      new Font(Font.SANS_SERIF, Font.PLAIN, 12)
          .getStringBounds("fonts", new FontRenderContext(null, true, true));
      return true;
    } catch (RuntimeException | Error _) {
      // RuntimeException without fontconfig, a plain Error without a font, LinkageError without
      // FreeType and at every later try.
      return false;
    }
  }

  /**
   * Draws the figures, each into a file of this name with the figure's suffix; the same figure
   * gives the same bytes wherever the fonts are the same.
   */
  void write(List<Figure> figures) throws IOException {
    for (Figure figure : figures) {
      byte[] picture = ChartEncoder.getBytes(figure.chart(), format);
      String name = path.getFileName().toString();
      int dot = name.lastIndexOf('.');
      Files.write(
          path.resolveSibling(name.substring(0, dot) + figure.suffix() + name.substring(dot)),
          format.equals("svg") ? readable(picture, figure) : picture);
    }
  }

  /**
   * XChart draws letters as outlines: no program finds a word in them, so the text is put beside
   * them. Their coordinates have up to 15 decimals; two make the file a third smaller and are a
   * hundredth of a pixel.
   */
  private static byte[] readable(byte[] svg, Figure figure) {
    String text =
        "<title>%s</title><desc>%s</desc>"
            .formatted(escape(figure.title()), escape(figure.description()));
    return new String(svg, StandardCharsets.UTF_8)
        .replaceAll("(\\.\\d\\d)\\d+", "$1")
        .replaceFirst("<svg[^>]*>", "$0" + Matcher.quoteReplacement(text))
        .getBytes(StandardCharsets.UTF_8);
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;");
  }
}
