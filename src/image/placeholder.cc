// Until the first source of this module lands.
