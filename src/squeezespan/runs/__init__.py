"""What every long training needs, students' and GANs' alike."""
